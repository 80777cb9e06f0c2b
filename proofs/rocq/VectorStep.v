(* The step of a vector: what the loops compute in doubles, the rule in reals, how far apart. *)
From Flocq Require Import Core BinarySingleNaN.
Require Import Reals Lra Lia Psatz List Permutation.
Require Import Sums Trees Near Binary64 Mean Statistic Step.
Open Scope R_scope.

Section Vector.
Variable n : nat.

(* Given as doubles; `entries` is n. *)
Variables (X G V_old : nat -> double) (beta_2 w rho epsilon_1 epsilon_2 d entries : double).

(* What V_old and the rates stand for, up to so many roundings: 0 where they are meant as they
   are. *)
Variables (v_old : nat -> R) (beta omega rate : R) (k_old k_beta k_omega k_rho : nat).

(* The order of the two sums, as trees no deeper than this. *)
Variables tree_X tree_U : tree nat.
Variables D_X D_U : nat.

(* Computed *)
Definition V_fl i := (beta_2 * V_old i + w * (G i * G i + epsilon_1))%D.
Definition msX_fl := (added (fun i => X i * X i) tree_X / entries)%D.
Definition msU_fl := (added (fun i => G i * G i / V_fl i) tree_U / entries)%D.
Definition scale_fl := (alpha epsilon_2 rho msX_fl / divisor d msU_fl)%D.
Definition step_fl i := (scale_fl / root (V_fl i) * G i)%D.
Definition X_new_fl i := (X i - step_fl i)%D.

(* Exact: [S] Algorithm 5 *)
Definition V i := beta * v_old i + omega * (real (G i) ^ 2 + real epsilon_1).
Definition U i := real (G i) / sqrt (V i).
Definition RMS f := sqrt (sum n (fun i => f i ^ 2) / INR n).
Definition alpha_t := Rmax (real epsilon_2) (RMS (fun i => real (X i))) * rate.
Definition U_hat i := U i / Rmax 1 (RMS U / real d).
Definition step i := alpha_t * U_hat i.
Definition X_new i := real (X i) - step i.

(* Roundings *)
Definition V_K := S (Nat.max (S (S (k_beta + k_old))) (S (S (k_omega + 2)))).
Definition msU_K := S (S (1 + V_K) + D_U).
Definition scale_K := S (alpha_K (S (1 + D_X)) k_rho + divisor_K msU_K).
Definition step_K := S (S (scale_K + S (half V_K))).

(* What is given is within these bounds. *)
Hypothesis n_positive : (0 < n)%nat.
Hypothesis n_bounded : INR n <= two 44.
Hypothesis entries_n : real entries = INR n.
Hypothesis every_X : Permutation (leaves tree_X) (seq 0 n) /\ (depth tree_X <= D_X)%nat.
Hypothesis every_U : Permutation (leaves tree_U) (seq 0 n) /\ (depth tree_U <= D_U)%nat.
Hypothesis finite_G : forall i, finite (G i).
Hypothesis finite_X : forall i, finite (X i).
Hypothesis sum_G : sum n (fun i => real (G i) ^ 2) <= two 400.
Hypothesis sum_X : sum n (fun i => real (X i) ^ 2) <= two 800.
Hypothesis old : forall i, gives k_old 0 406 (V_old i) (v_old i).
Hypothesis finite_beta : finite beta_2.
Hypothesis near_beta : near k_beta 0 (real beta_2) beta.
Hypothesis beta_below_1 : real beta_2 <= 1 /\ beta <= 1.
Hypothesis finite_w : finite w.
Hypothesis near_w : near k_omega 0 (real w) omega.
Hypothesis w_below_1 : real w <= 1 /\ omega <= 1.
Hypothesis omega_bounded : two (-53) <= omega.
Hypothesis rho_given : sure k_rho (-100) 100 rho rate.
Hypothesis epsilon_1_given : finite epsilon_1 /\ two (-200) <= real epsilon_1 <= two 200.
Hypothesis epsilon_2_given : finite epsilon_2 /\ 0 <= real epsilon_2 <= two 400.
Hypothesis d_given : finite d /\ two (-20) <= real d.
Hypothesis alpha_bounded : two (-247) <= Rmax (real epsilon_2) (RMS (fun i => real (X i))).
Hypothesis few_K : INR step_K * u <= / 4.

Lemma enough k : (k <= step_K + step_K)%nat -> few k.
Proof.
  intros H. apply few_less with (step_K + step_K)%nat; auto. apply few_of_gamma.
  rewrite plus_INR. lra.
Qed.

Lemma counts : (V_K <= step_K /\ msU_K + 1 <= step_K + step_K /\
  1 + D_X + 2 <= step_K + step_K /\ scale_K + S (half V_K) <= step_K /\
  V_K + 10 <= msU_K + 8 /\
  divisor_K msU_K <= step_K /\ alpha_K (S (1 + D_X)) k_rho <= step_K)%nat.
Proof.
  unfold step_K, scale_K, divisor_K, alpha_K.
  pose proof (half_enough (S msU_K)). pose proof (half_enough (S (S (1 + D_X)))).
  pose proof (half_enough V_K). unfold msU_K in *. repeat split; lia.
Qed.

Lemma one_entry f i : (i < n)%nat -> f i ^ 2 <= sum n (fun i => f i ^ 2).
Proof. intros H. apply (sum_one n (fun i => f i ^ 2)); auto. intros. apply pow2_ge_0. Qed.

Lemma G_bounded i : (i < n)%nat -> real (G i) * real (G i) <= two 400.
Proof.
  intros H. pose proof (one_entry (fun i => real (G i)) i H) as P. simpl in P.
  apply Rle_trans with (2 := sum_G). simpl. lra.
Qed.

Lemma V_sure i : (i < n)%nat -> sure V_K (-254) 407 (V_fl i) (V i).
Proof.
  intros H. pose proof counts as C. destruct beta_below_1 as (B1 & B2), w_below_1 as (B3 & B4).
  destruct (new_of_entry_gives epsilon_1 (G i)) as (N & L & A); auto.
  { replace (real (G i) ^ 2) with (real (G i) * real (G i)) by ring. apply G_bounded. auto. }
  { apply enough. unfold V_K in C. lia. }
  unfold V_fl, V, V_K. apply moving_sure with (k0 := k_old) (k := 2%nat) (kb := k_beta)
    (kw := k_omega) (a := least);
    [apply old | exact N | exact finite_beta | exact near_beta | exact B1 | exact B2
    | exact finite_w | exact near_w | exact B3 | exact B4 | exact omega_bounded | exact L
    | exact A | lia | lia |].
  apply enough. unfold V_K in C. lia.
Qed.

Lemma size_bounded : 1 <= INR (length (seq 0 n)) <= two 44.
Proof.
  rewrite seq_length. split; auto. replace 1 with (INR 1) by reflexivity. apply le_INR. lia.
Qed.

Lemma mean_of f : total (fun i => f i * f i) (seq 0 n) / INR (length (seq 0 n)) =
  sum n (fun i => f i ^ 2) / INR n.
Proof. rewrite total_range, seq_length. f_equal. apply sum_ext. intros. ring. Qed.

Lemma alpha_is_sure :
  sure (alpha_K (S (1 + D_X)) k_rho) (-347) 500 (alpha epsilon_2 rho msX_fl) alpha_t.
Proof.
  pose proof counts as C. destruct epsilon_2_given as (F2 & E2).
  assert (M : mean_square X (seq 0 n) = sum n (fun i => real (X i) ^ 2) / INR n) by apply mean_of.
  unfold alpha_t, RMS. rewrite <- M. destruct every_X.
  apply alpha_of_entries; auto using size_bounded.
  - rewrite total_range. apply Rle_trans with (2 := sum_X). right. apply sum_ext. intros. ring.
  - rewrite seq_length. auto.
  - rewrite M. exact alpha_bounded.
  - apply enough. lia.
Qed.

Lemma U_square i : (i < n)%nat -> U i ^ 2 = real (G i) * real (G i) / V i.
Proof.
  intros H. destruct (sure_positive _ _ _ _ _ (V_sure i H)) as (P & _).
  unfold U. pose proof (sqrt_sqrt (V i)). pose proof (sqrt_lt_R0 _ P).
  replace (V i) with (sqrt (V i) * sqrt (V i)) at 2 by lra. field. lra.
Qed.

(* V is at least the weighted square of G, and the weight at least 2^-53. *)
Lemma U_bounded i : (i < n)%nat -> real (G i) * real (G i) / V i <= two 53.
Proof.
  intros H. destruct (sure_positive _ _ _ _ _ (V_sure i H)) as (P & _).
  pose proof (Rle_0_sqr (real (G i))) as Q. unfold Rsqr in Q.
  set (g := real (G i) * real (G i)) in *.
  apply (Rmult_le_reg_r (V i)); auto. replace (g / V i * V i) with g by (field; lra).
  assert (E : two 53 * two (-53) = 1) by (rewrite <- bpow_plus; reflexivity).
  pose proof (two_pos 53). destruct epsilon_1_given as (_ & E1). pose proof (two_pos (-200)).
  assert (W : two (-53) * g <= V i). {
    unfold V. replace (real (G i) ^ 2) with g by (unfold g; ring).
    assert (0 <= beta * v_old i) by (apply Rmult_le_pos; [apply near_beta | apply (old i)]).
    pose proof (two_pos (-53)). nra. }
  nra.
Qed.

Lemma msU_gives : gives msU_K (two (-819)) 845 msU_fl (sum n (fun i => U i ^ 2) / INR n).
Proof.
  destruct every_U.
  pose proof counts as C. pose proof least_nonneg. pose proof size_bounded as N.
  assert (M : sum n (fun i => U i ^ 2) =
    total (fun i => real (G i) * real (G i) / V i) (seq 0 n)).
  { rewrite total_range. apply sum_ext. apply U_square. }
  assert (E : INR (length (seq 0 n)) = INR n) by (rewrite seq_length; auto).
  assert (Small : least <= two (-900)) by (apply two_le; lia).
  assert (Lost : least * two (1 - -254) = two (-820))
    by (unfold least; rewrite <- bpow_plus; reflexivity).
  assert (Slack : two (-820) + two (-820) = two (-819)) by (rewrite <- (Rmult_1_r (two (-820)));
    rewrite <- Rmult_plus_distr_l, Rmult_comm; apply doubled).
  assert (Less : two (-900) + two (-900) <= two (-820)). {
    replace (two (-900) + two (-900)) with (2 * two (-900)) by ring. rewrite doubled. apply two_le.
    lia. }
  assert (Tiny : two (-819) <= two (-45)) by (apply two_le; lia).
  assert (Below1 : two (-45) <= 1) by (rewrite <- two_0; apply two_le; lia).
  assert (Lost1 : 0 <= least * two (1 - -254) + least) by (rewrite Lost;
    pose proof (two_pos (-820)); lra).
  apply gives_le with msU_K (least * two (1 - -254) + least + least) 845%Z; bounds.
  rewrite M. unfold msU_K, msU_fl.
  apply mean_along with (l := seq 0 n) (a := least * two (1 - -254) + least); auto; bounds.
  - intros i I. apply in_seq in I. apply quotient_gives with (hi := 407%Z); bounds.
    + apply gives_le with 1%nat least 400%Z; bounds. apply square_gives; auto; bounds.
      apply G_bounded. lia.
    + apply V_sure. lia.
    + apply enough. lia.
    + apply Rle_trans with (1 := U_bounded i ltac:(lia)). apply two_le. lia.
  - rewrite E. lra.
  - apply Rle_trans with (two 44 * two (-45)); [apply Rmult_le_compat; rewrite <- ?E; try lra|].
    rewrite <- bpow_plus. simpl. lra.
  - apply enough. unfold msU_K in C. lia.
  - rewrite total_range. apply Rle_trans with (sum n (fun _ => two 53)).
    + apply sum_le. intros. apply U_bounded. auto.
    + rewrite sum_const. apply Rle_trans with (two 44 * two 53).
      * apply Rmult_le_compat_r; auto. apply bpow_ge_0.
      * rewrite <- bpow_plus. apply two_le. lia.
Qed.

Lemma scale_sure : sure scale_K (-791) 500 scale_fl (alpha_t / Rmax 1 (RMS U / real d)).
Proof.
  pose proof counts as C. destruct d_given as (Fd & Ed).
  assert (D : sure (divisor_K msU_K) 0 443 (divisor d msU_fl) (Rmax 1 (RMS U / real d))). {
    apply divisor_sure with (a := two (-819)); auto using msU_gives.
    - apply two_le. lia.
    - apply enough. lia.
    - apply enough. lia. }
  pose proof alpha_is_sure as A. unfold scale_K.
  apply quotient_sure with (-347)%Z 500%Z 0%Z 443%Z; auto; bounds.
  - apply enough. unfold scale_K in C. lia.
  - destruct A as (_ & _ & A), D as (_ & _ & D).
    apply within_le with (-347 - 443)%Z (500 - 0)%Z; bounds. apply within_quotient; auto.
Qed.

Lemma factor_sure i : (i < n)%nat ->
  sure (S (scale_K + S (half V_K))) (-995) 627 (scale_fl / root (V_fl i))
    (alpha_t / Rmax 1 (RMS U / real d) / sqrt (V i)).
Proof.
  intros H. pose proof counts as C. pose proof (V_sure i H) as SV. pose proof scale_sure as A.
  assert (R : sure (S (half V_K)) (-127) 204 (root (V_fl i)) (sqrt (V i))). {
    apply root_sure with (-254)%Z 407%Z; auto; bounds; [apply enough; lia|].
    apply within_root. apply within_le with (-254)%Z 407%Z; bounds. apply SV. }
  apply quotient_sure with (-791)%Z 500%Z (-127)%Z 204%Z; auto; bounds; [apply enough; lia|].
  destruct A as (_ & _ & A), R as (_ & _ & R).
  apply within_le with (-791 - 204)%Z (500 - -127)%Z; bounds. apply within_quotient; auto.
Qed.

Lemma step_as_product i : (i < n)%nat ->
  step i = alpha_t / Rmax 1 (RMS U / real d) / sqrt (V i) * real (G i).
Proof.
  intros H. destruct (sure_positive _ _ _ _ _ (V_sure i H)) as (P & _).
  pose proof (sqrt_lt_R0 _ P). pose proof (Rmax_l 1 (RMS U / real d)).
  unfold step, U_hat. set (divisor := Rmax 1 (RMS U / real d)) in *. unfold U. field. lra.
Qed.

Lemma K_bounded : INR step_K * u <= / 2.
Proof. pose proof few_K. lra. Qed.

Lemma G_size i : (i < n)%nat -> Rabs (real (G i)) <= two 200.
Proof. intros H. apply (size_of _ 200). apply G_bounded. auto. Qed.

Lemma X_size i : (i < n)%nat -> Rabs (real (X i)) <= two 400.
Proof.
  intros H. apply (size_of _ 400). pose proof (one_entry (fun i => real (X i)) i H) as P.
  apply Rle_trans with (2 := sum_X). simpl in *. lra.
Qed.

Lemma product_bounded i : (i < n)%nat ->
  Rabs (alpha_t / Rmax 1 (RMS U / real d) / sqrt (V i) * real (G i)) <= two 900.
Proof.
  intros H. pose proof (factor_sure i H) as (_ & _ & B). pose proof (two_pos (-995)).
  rewrite Rabs_mult, (Rabs_pos_eq (alpha_t / _ / _)) by lra.
  apply Rle_trans with (two 627 * two 200).
  - apply Rmult_le_compat; try lra; [apply Rabs_pos | apply G_size; auto].
  - rewrite <- bpow_plus. apply two_le. lia.
Qed.

Theorem vector_state i : (i < n)%nat ->
  finite (V_fl i) /\ Rabs (real (V_fl i) - V i) <= gamma V_K * V i.
Proof.
  intros H. pose proof (V_sure i H) as S. split; [apply S|].
  assert (N := sure_error _ _ _ _ _ S (few_roundings V_K step_K ltac:(pose proof counts;
    lia) few_K)).
  lra.
Qed.

Theorem vector_step i : (i < n)%nat ->
  finite (step_fl i) /\ Rabs (real (step_fl i) - step i)
    <= gamma step_K * Rabs (step i) + two (-1074).
Proof.
  intros H. rewrite (step_as_product i H).
  destruct (move_near _ _ _ _ (G i) _ (factor_sure i H)) as (F & _ & N & _);
    [apply finite_G | apply product_bounded, H | exact K_bounded |].
  change (S (S (scale_K + S (half V_K)))) with step_K in N. split; [exact F | unfold step_fl; lra].
Qed.

Theorem vector_step_in_range i : (i < n)%nat -> two (-1021) <= Rabs (step i) \/ real (G i) = 0 ->
  Rabs (real (step_fl i) - step i) <= gamma step_K * Rabs (step i).
Proof.
  intros H. rewrite (step_as_product i H).
  destruct (move_near _ _ _ _ (G i) _ (factor_sure i H)) as (F & _ & _ & N);
    [apply finite_G | apply product_bounded, H | exact K_bounded |].
  change (S (S (scale_K + S (half V_K)))) with step_K in N. intros R. specialize (N R).
  unfold step_fl. lra.
Qed.

Theorem vector_X_new i : (i < n)%nat ->
  finite (X_new_fl i) /\
  Rabs (real (X_new_fl i) - X_new i) <=
    gamma step_K * Rabs (step i) + two (-1074) + u * Rabs (real (X_new_fl i)).
Proof.
  intros H. unfold X_new. rewrite (step_as_product i H).
  destruct (new_near _ _ _ (X i) _ (G i) _ (factor_sure i H)) as (F & N);
    [apply finite_G | apply finite_X | apply product_bounded, H | apply X_size, H
    | exact K_bounded |].
  change (S (S (scale_K + S (half V_K)))) with step_K in N.
  split; [exact F | unfold X_new_fl, step_fl; lra].
Qed.

Theorem vector_float32 i : (i < n)%nat ->
  Rabs (stored32 (X_new_fl i) - X_new i) <=
    half_ulp32 (X_new_fl i) +
    (gamma step_K * Rabs (step i) + two (-1074) + u * Rabs (real (X_new_fl i))).
Proof.
  intros H. destruct (vector_X_new i H) as (_ & N). apply stored_after in N. lra.
Qed.
End Vector.
