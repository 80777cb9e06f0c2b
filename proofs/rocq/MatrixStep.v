(* The step of a matrix: what the loops compute in doubles, the rule in reals, how far apart. *)
From Flocq Require Import Core BinarySingleNaN.
Require Import Reals Lra Lia Psatz List Permutation.
Require Import Sums Trees Near Binary64 Mean Statistic MeanSquare Step.
Open Scope R_scope.

Section Matrix.
Variables n m : nat.

(* Given as doubles; `rows`, `columns` and `entries` are n, m and n m. *)
Variables (X G : nat -> nat -> double) (R_old C_old : nat -> double).
Variables (beta_2 w rho epsilon_1 epsilon_2 d rows columns entries : double).

(* What R_old, C_old and the rates stand for, up to so many roundings. *)
Variables (r_old c_old : nat -> R) (beta omega rate : R) (k_old k_beta k_omega k_rho : nat).

(* The order of every sum, as trees no deeper than this. *)
Variables (tree_row tree_column tree_ratio : nat -> tree nat) (tree_S tree_U : tree nat).
Variable tree_X : tree (nat * nat).
Variables D_row D_column D_ratio D_S D_U D_X : nat.

(* Computed *)
Definition R_fl i :=
  (beta_2 * R_old i + w * (added (fun j => G i j * G i j) (tree_row i) + columns * epsilon_1))%D.
Definition C_fl j :=
  (beta_2 * C_old j + w * (added (fun i => G i j * G i j) (tree_column j) + rows * epsilon_1))%D.
Definition S_fl := added R_fl tree_S.
Definition r_fl i := root (S_fl / R_fl i)%D.
Definition c_fl j := (Bone / root (C_fl j))%D.
Definition ratio_fl j := added (fun i => G i j * G i j * (Bone / R_fl i))%D (tree_ratio j).
Definition msU_fl := (added (fun j => ratio_fl j * (S_fl / C_fl j)) tree_U / entries)%D.
Definition msX_fl := (added (fun p => X (fst p) (snd p) * X (fst p) (snd p)) tree_X / entries)%D.
Definition scale_fl := (alpha epsilon_2 rho msX_fl / divisor d msU_fl)%D.
Definition step_fl i j := (r_fl i * scale_fl * c_fl j * G i j)%D.
Definition X_new_fl i j := (X i j - step_fl i j)%D.

(* Exact: [S] Algorithm 4 *)
Definition R_ i := beta * r_old i + omega * sum m (fun j => real (G i j) ^ 2 + real epsilon_1).
Definition C_ j := beta * c_old j + omega * sum n (fun i => real (G i j) ^ 2 + real epsilon_1).
Definition S_R := sum n R_.
Definition V i j := R_ i * C_ j / S_R.
Definition U i j := real (G i j) / sqrt (V i j).
Definition RMS f := sqrt (sum n (fun i => sum m (fun j => f i j ^ 2)) / INR (n * m)).
Definition alpha_t := Rmax (real epsilon_2) (RMS (fun i j => real (X i j))) * rate.
Definition U_hat i j := U i j / Rmax 1 (RMS U / real d).
Definition step i j := alpha_t * U_hat i j.
Definition X_new i j := real (X i j) - step i j.

(* Roundings *)
Definition R_K := S (Nat.max (S (S (k_beta + k_old))) (S (S (k_omega + S (1 + D_row))))).
Definition C_K := S (Nat.max (S (S (k_beta + k_old))) (S (S (k_omega + S (1 + D_column))))).
Definition S_K := (R_K + D_S)%nat.
Definition r_K := S (half (S (S_K + R_K))).
Definition c_K := S (S (half C_K)).
Definition ratio_K := (S (1 + S R_K) + D_ratio)%nat.
Definition msU_K := S (S (ratio_K + S (S_K + C_K)) + D_U).
Definition scale_K := S (alpha_K (S (1 + D_X)) k_rho + divisor_K msU_K).
Definition step_K := S (S (S (r_K + scale_K) + c_K)).

(* What is given is within these bounds. *)
Hypothesis some : (0 < n)%nat /\ (0 < m)%nat.
Hypothesis not_too_many : INR n * INR m <= two 44.
Hypothesis sizes : finite rows /\ finite columns /\
  real rows = INR n /\ real columns = INR m /\ real entries = INR n * INR m.
Hypothesis every_row : forall i,
  Permutation (leaves (tree_row i)) (seq 0 m) /\ (depth (tree_row i) <= D_row)%nat.
Hypothesis every_column : forall j,
  Permutation (leaves (tree_column j)) (seq 0 n) /\ (depth (tree_column j) <= D_column)%nat.
Hypothesis every_ratio : forall j,
  Permutation (leaves (tree_ratio j)) (seq 0 n) /\ (depth (tree_ratio j) <= D_ratio)%nat.
Hypothesis every_S : Permutation (leaves tree_S) (seq 0 n) /\ (depth tree_S <= D_S)%nat.
Hypothesis every_U : Permutation (leaves tree_U) (seq 0 m) /\ (depth tree_U <= D_U)%nat.
Hypothesis every_X :
  Permutation (leaves tree_X) (list_prod (seq 0 n) (seq 0 m)) /\ (depth tree_X <= D_X)%nat.
Hypothesis finite_G : forall i j, finite (G i j).
Hypothesis finite_X : forall i j, finite (X i j).
Hypothesis sum_G : sum n (fun i => sum m (fun j => real (G i j) ^ 2)) <= two 400.
Hypothesis sum_X : sum n (fun i => sum m (fun j => real (X i j) ^ 2)) <= two 800.
Hypothesis R_given : forall i, gives k_old 0 406 (R_old i) (r_old i).
Hypothesis C_given : forall j, gives k_old 0 406 (C_old j) (c_old j).
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
Hypothesis alpha_bounded : two (-247) <= Rmax (real epsilon_2) (RMS (fun i j => real (X i j))).
Hypothesis few_K : INR step_K * u <= / 4.

Lemma enough k : (k <= step_K + step_K)%nat -> few k.
Proof.
  intros H. apply few_less with (step_K + step_K)%nat; auto. apply few_of_gamma.
  rewrite plus_INR. lra.
Qed.

Lemma counts : (msU_K + 1 <= step_K + step_K /\ S_K + R_K + 1 <= step_K + step_K /\
  C_K + 4 <= step_K + step_K /\ S (S (1 + D_X)) <= step_K + step_K /\
  r_K + scale_K <= step_K /\ divisor_K msU_K <= step_K /\ scale_K <= step_K /\
  S (r_K + scale_K) + c_K <= step_K /\
  alpha_K (S (1 + D_X)) k_rho <= step_K)%nat.
Proof.
  unfold step_K, scale_K, divisor_K, alpha_K, r_K, c_K.
  pose proof (half_enough (S msU_K)). pose proof (half_enough (S (S (1 + D_X)))).
  pose proof (half_enough (S (S_K + R_K))). pose proof (half_enough C_K).
  unfold msU_K, ratio_K in *. repeat split; lia.
Qed.

Lemma n_bounded : 1 <= INR n <= two 44.
Proof. apply (factor_bounded n m); [apply some | apply some | exact not_too_many]. Qed.

Lemma m_bounded : 1 <= INR m <= two 44.
Proof. apply (factor_bounded m n); try apply some. rewrite Rmult_comm. exact not_too_many. Qed.

Lemma row_bounded i : (i < n)%nat -> sum m (fun j => real (G i j) ^ 2) <= two 400.
Proof. intros H. apply (row_below n m (fun i j => real (G i j))); auto. Qed.

Lemma column_bounded j : (j < m)%nat -> sum n (fun i => real (G i j) ^ 2) <= two 400.
Proof. intros H. apply (column_below n m (fun i j => real (G i j))); auto. Qed.

Lemma G_bounded i j : (i < n)%nat -> (j < m)%nat -> real (G i j) * real (G i j) <= two 400.
Proof. intros H J. apply (entry_below n m (fun i j => real (G i j))); auto. Qed.

Lemma R_sure i : (i < n)%nat -> sure R_K (-254) 407 (R_fl i) (R_ i).
Proof.
  intros H. destruct (every_row i) as (P & Dp), sizes as (_ & Fc & _ & Vc & _).
  pose proof counts as C.
  apply (statistic_sure beta_2 w epsilon_1 beta omega k_old k_beta k_omega) with (D := D_row);
    auto using row_bounded, m_bounded.
  apply enough. unfold R_K in C. lia.
Qed.

Lemma C_sure j : (j < m)%nat -> sure C_K (-254) 407 (C_fl j) (C_ j).
Proof.
  intros H. destruct (every_column j) as (P & Dp), sizes as (Fr & _ & Vr & _).
  pose proof counts as C.
  apply (statistic_sure beta_2 w epsilon_1 beta omega k_old k_beta k_omega)
    with (D := D_column) (g := fun i => G i j); auto using column_bounded, n_bounded.
  apply enough. unfold C_K in C. lia.
Qed.

Lemma S_sure : sure S_K (-254) 451 S_fl S_R.
Proof.
  pose proof counts as C. pose proof n_bounded as N. destruct every_S as (P & Dp).
  apply sure_of_gives.
  - unfold S_R. rewrite <- total_range.
    apply gives_le with S_K (INR (length (seq 0 n)) * 0) 451%Z; bounds.
    apply sum_along; auto; bounds.
    + intros i I. apply in_seq in I. apply gives_of_sure with (-254)%Z.
      destruct (R_sure i) as (F & M & B); [lia|]. refine (conj F (conj M _)).
      split; [apply B|]. apply Rle_trans with (1 := proj2 B). apply two_le. lia.
    + apply enough. unfold S_K in C. lia.
    + rewrite total_range. apply Rle_trans with (sum n (fun _ => two 407)).
      * apply sum_le. intros i I. apply (R_sure i I).
      * rewrite sum_const. apply Rle_trans with (two 44 * two 407).
        -- apply Rmult_le_compat_r; [apply bpow_ge_0|]. lra.
        -- rewrite <- bpow_plus. apply two_le. lia.
  - destruct some as (N0 & _). apply Rle_trans with (R_ 0); [apply (R_sure 0 N0)|].
    apply sum_one; auto. intros i I. destruct (sure_positive _ _ _ _ _ (R_sure i I)). lra.
Qed.

Lemma positive_R i : (i < n)%nat -> 0 < R_ i.
Proof. intros H. apply (sure_positive _ _ _ _ _ (R_sure i H)). Qed.

Lemma positive_C j : (j < m)%nat -> 0 < C_ j.
Proof. intros H. apply (sure_positive _ _ _ _ _ (C_sure j H)). Qed.

Lemma positive_S : 0 < S_R.
Proof. apply (sure_positive _ _ _ _ _ S_sure). Qed.

Lemma share_sure i : (i < n)%nat -> sure (S (S_K + R_K)) 0 705 (S_fl / R_fl i) (S_R / R_ i).
Proof.
  intros H. pose proof counts as C. pose proof S_sure as A. pose proof (R_sure i H) as B.
  pose proof (positive_R i H) as P. assert (L : R_ i <= S_R).
  { apply sum_one; auto. intros k K. pose proof (positive_R k K). lra. }
  apply quotient_sure with (-254)%Z 451%Z (-254)%Z 407%Z; auto; bounds; [apply enough; lia|].
  destruct A as (_ & _ & A), B as (_ & _ & B). split.
  - rewrite two_0. apply (Rmult_le_reg_r (R_ i)); auto.
    replace (S_R / R_ i * R_ i) with S_R by (field; lra). lra.
  - apply (within_quotient (-254) 451 (-254) 407); auto.
Qed.

Lemma r_sure i : (i < n)%nat -> sure r_K 0 353 (r_fl i) (sqrt (S_R / R_ i)).
Proof.
  intros H. pose proof counts as C. pose proof (share_sure i H) as A.
  apply root_sure with 0%Z 705%Z; auto; bounds.
  - apply enough. unfold r_K in C. lia.
  - apply within_root. apply within_le with 0%Z 705%Z; bounds. apply A.
Qed.

Lemma c_sure j : (j < m)%nat -> sure c_K (-204) 127 (c_fl j) (1 / sqrt (C_ j)).
Proof.
  intros H. pose proof counts as C. pose proof (C_sure j H) as A.
  assert (R : sure (S (half C_K)) (-127) 204 (root (C_fl j)) (sqrt (C_ j))). {
    apply root_sure with (-254)%Z 407%Z; auto; bounds; [apply enough; unfold c_K in C; lia|].
    apply within_root. apply within_le with (-254)%Z 407%Z; bounds. apply A. }
  apply (quotient_sure 0 _ 0 0 (-127) 204); auto using one_sure; bounds.
  - apply enough. unfold c_K in C. lia.
  - apply (within_quotient 0 0 (-127) 204); [split; rewrite two_0; lra | apply R].
Qed.

(* R_i is at least the weighted sum of its row, and the weight at least 2^-53. *)
Lemma share_of_R i j : (i < n)%nat -> (j < m)%nat ->
  real (G i j) * real (G i j) * (1 / R_ i) <= two 53.
Proof.
  intros H J. pose proof (positive_R i H) as P.
  set (g := real (G i j) * real (G i j)).
  assert (Q : 0 <= g) by apply Rle_0_sqr.
  assert (E : two 53 * two (-53) = 1) by (rewrite <- bpow_plus; reflexivity).
  pose proof (two_pos 53). pose proof (two_pos (-53)). destruct epsilon_1_given as (_ & E1).
  pose proof (two_pos (-200)).
  assert (W : two (-53) * g <= R_ i). {
    unfold R_. set (s := sum m _).
    assert (g <= s). {
      apply Rle_trans with (real (G i j) ^ 2 + real epsilon_1); [unfold g; simpl; lra|].
      apply (sum_one m (fun j => real (G i j) ^ 2 + real epsilon_1)); auto.
      intros k _. pose proof (square_nonneg (real (G i k))). lra. }
    assert (0 <= beta * r_old i) by (apply Rmult_le_pos; [apply near_beta | apply (R_given i)]).
    nra. }
  apply (Rmult_le_reg_r (R_ i)); auto. replace (g * (1 / R_ i) * R_ i) with g by (field; lra). nra.
Qed.

Definition ratio j := sum n (fun i => real (G i j) * real (G i j) * (1 / R_ i)).

Lemma U_square i j : (i < n)%nat -> (j < m)%nat ->
  U i j * U i j = real (G i j) * real (G i j) * (1 / R_ i) * (S_R / C_ j).
Proof.
  intros H J. pose proof (positive_R i H). pose proof (positive_C j J). pose proof positive_S.
  assert (P : 0 < V i j) by (apply Rdiv_lt_0_compat; auto; apply Rmult_lt_0_compat; auto).
  pose proof (sqrt_lt_R0 _ P).
  replace (U i j * U i j) with (real (G i j) * real (G i j) / (sqrt (V i j) * sqrt (V i j)))
    by (unfold U; field; lra).
  rewrite sqrt_sqrt by lra. unfold V. field. repeat split; lra.
Qed.

Lemma sum_of_U :
  sum n (fun i => sum m (fun j => U i j ^ 2)) = sum m (fun j => ratio j * (S_R / C_ j)).
Proof.
  rewrite sum_swap. apply sum_ext. intros j J. unfold ratio. rewrite <- sum_scal_r. apply sum_ext.
  intros i I. rewrite <- U_square by auto. ring.
Qed.

Lemma msU_gives : gives msU_K (two (-111)) 845 msU_fl
  (sum n (fun i => sum m (fun j => U i j ^ 2)) / (INR n * INR m)).
Proof.
  pose proof counts as C. destruct sizes as (_ & _ & _ & _ & Ve). rewrite sum_of_U.
  apply (mean_square_gives n m G R_fl C_fl S_fl entries R_ C_ S_R R_K C_K S_K D_ratio D_U
    tree_ratio tree_U);
    auto using n_bounded, m_bounded, G_bounded, R_sure, C_sure, S_sure, share_of_R.
  apply enough. change (S msU_K <= step_K + step_K)%nat. lia.
Qed.

Lemma alpha_is_sure :
  sure (alpha_K (S (1 + D_X)) k_rho) (-347) 500 (alpha epsilon_2 rho msX_fl) alpha_t.
Proof.
  pose proof counts as C. destruct epsilon_2_given as (F2 & E2), every_X as (P & Dp).
  destruct sizes as (_ & _ & _ & _ & Ve). pose proof n_bounded. pose proof m_bounded.
  assert (pairs : length (list_prod (seq 0 n) (seq 0 m)) = (n * m)%nat)
    by (rewrite prod_length, !seq_length; reflexivity).
  assert (T : total (fun p => real (X (fst p) (snd p)) * real (X (fst p) (snd p)))
    (list_prod (seq 0 n) (seq 0 m)) =
    sum n (fun i => sum m (fun j => real (X i j) ^ 2))). {
    rewrite (total_pairs (fun i j => real (X i j) * real (X i j))).
    apply sum_ext. intros. apply sum_ext. intros. ring. }
  assert (M : mean_square (fun p => X (fst p) (snd p)) (list_prod (seq 0 n) (seq 0 m)) =
    sum n (fun i => sum m (fun j => real (X i j) ^ 2)) / INR (n * m)).
  { unfold mean_square. rewrite T, pairs. reflexivity. }
  unfold alpha_t, RMS. rewrite <- M. apply alpha_of_entries; auto.
  - rewrite T. auto.
  - rewrite pairs, mult_INR. auto.
  - rewrite pairs, mult_INR. split; auto. nra.
  - rewrite M. exact alpha_bounded.
  - apply enough. lia.
Qed.

Lemma scale_sure : sure scale_K (-791) 500 scale_fl (alpha_t / Rmax 1 (RMS U / real d)).
Proof.
  pose proof counts as C. destruct d_given as (Fd & Ed).
  assert (D : sure (divisor_K msU_K) 0 443 (divisor d msU_fl) (Rmax 1 (RMS U / real d))). {
    unfold RMS. rewrite mult_INR. apply divisor_sure with (a := two (-111)); auto using msU_gives.
    - apply two_le. lia.
    - apply enough. lia.
    - apply enough. lia. }
  pose proof alpha_is_sure as A. unfold scale_K.
  apply quotient_sure with (-347)%Z 500%Z 0%Z 443%Z; auto; bounds.
  - apply enough. unfold scale_K in C. lia.
  - destruct A as (_ & _ & A), D as (_ & _ & D).
    apply within_le with (-347 - 443)%Z (500 - 0)%Z; bounds. apply within_quotient; auto.
Qed.

Definition factor i j :=
  sqrt (S_R / R_ i) * (alpha_t / Rmax 1 (RMS U / real d)) * (1 / sqrt (C_ j)).

Lemma factor_sure i j : (i < n)%nat -> (j < m)%nat ->
  sure (S (S (r_K + scale_K) + c_K)) (-995) 980 (r_fl i * scale_fl * c_fl j)%D (factor i j).
Proof.
  intros H J. pose proof counts as C.
  pose proof (r_sure i H) as A. pose proof scale_sure as B. pose proof (c_sure j J) as D.
  assert (F : sure (S (r_K + scale_K)) (-791) 853 (r_fl i * scale_fl)%D
    (sqrt (S_R / R_ i) * (alpha_t / Rmax 1 (RMS U / real d)))). {
    apply product_sure with 0%Z 353%Z (-791)%Z 500%Z; auto; bounds; [apply enough; lia|].
    apply (within_product 0 353 (-791) 500); [apply A | apply B]. }
  apply product_sure with (-791)%Z 853%Z (-204)%Z 127%Z; auto; bounds; [apply enough; lia|].
  apply (within_product (-791) 853 (-204) 127); [apply F | apply D].
Qed.

Lemma step_as_product i j : (i < n)%nat -> (j < m)%nat -> step i j = factor i j * real (G i j).
Proof.
  intros H J. pose proof (positive_R i H). pose proof (positive_C j J). pose proof positive_S.
  unfold step, U_hat, factor. pose proof (Rmax_l 1 (RMS U / real d)).
  set (divisor := Rmax 1 (RMS U / real d)) in *. unfold U, V.
  rewrite sqrt_div by nra. rewrite sqrt_mult by lra. rewrite sqrt_div by lra.
  pose proof (sqrt_lt_R0 _ H0). pose proof (sqrt_lt_R0 _ H1). pose proof (sqrt_lt_R0 _ H2).
  field. repeat split; lra.
Qed.

Lemma U_bounded i j : (i < n)%nat -> (j < m)%nat -> Rabs (U i j) <= two 379.
Proof.
  intros H J. apply size_of. rewrite U_square by auto.
  pose proof (positive_R i H). pose proof (positive_C j J). pose proof positive_S.
  change (two (379 + 379)) with (two (53 + 705)). rewrite bpow_plus.
  apply Rmult_le_compat; auto using share_of_R.
  - apply Rmult_le_pos; [apply Rle_0_sqr | left; apply Rdiv_lt_0_compat; lra].
  - left. apply Rdiv_lt_0_compat; auto.
  - apply (within_quotient (-254) 451 (-254) 407); [apply S_sure | apply (C_sure j J)].
Qed.

Lemma product_bounded i j : (i < n)%nat -> (j < m)%nat ->
  Rabs (factor i j * real (G i j)) <= two 900.
Proof.
  intros H J. rewrite <- step_as_product by auto. unfold step, U_hat.
  pose proof (U_bounded i j H J) as B. pose proof alpha_is_sure as (_ & _ & (L & A)).
  pose proof (two_pos (-347)). pose proof (Rmax_l 1 (RMS U / real d)) as D.
  set (q := Rmax 1 (RMS U / real d)) in *. clearbody q.
  assert (I : 0 < / q <= 1). {
    split; [apply Rinv_0_lt_compat; lra|]. rewrite <- Rinv_1. apply Rinv_le_contravar; lra. }
  unfold Rdiv. rewrite !Rabs_mult, (Rabs_pos_eq alpha_t), (Rabs_pos_eq (/ q)) by lra.
  apply Rle_trans with (two 500 * (two 379 * 1)).
  - pose proof (Rabs_pos (U i j)). apply Rmult_le_compat; try lra; [nra|].
    apply Rmult_le_compat; lra.
  - rewrite Rmult_1_r, <- bpow_plus. apply two_le. lia.
Qed.

Theorem matrix_state i j : (i < n)%nat -> (j < m)%nat ->
  finite (R_fl i) /\ Rabs (real (R_fl i) - R_ i) <= gamma R_K * R_ i /\
  finite (C_fl j) /\ Rabs (real (C_fl j) - C_ j) <= gamma C_K * C_ j.
Proof.
  intros H J. pose proof counts as C. pose proof few_K as K.
  assert (NR := sure_error _ _ _ _ _ (R_sure i H)
    (few_roundings R_K step_K ltac:(unfold S_K, R_K in *; lia) K)).
  assert (NC := sure_error _ _ _ _ _ (C_sure j J)
    (few_roundings C_K step_K ltac:(unfold C_K in *; lia) K)).
  split; [apply (R_sure i H)|]. split; [lra|]. split; [apply (C_sure j J) | lra].
Qed.

Theorem matrix_step i j : (i < n)%nat -> (j < m)%nat ->
  finite (step_fl i j) /\
  Rabs (real (step_fl i j) - step i j) <= gamma step_K * Rabs (step i j) + two (-1074).
Proof.
  intros H J. rewrite step_as_product by auto.
  destruct (move_near _ _ _ _ (G i j) _ (factor_sure i j H J)) as (F & _ & N & _);
    [apply finite_G | apply product_bounded; assumption | fold step_K; lra |].
  fold step_K in N. split; [exact F | unfold step_fl; lra].
Qed.

Theorem matrix_step_in_range i j : (i < n)%nat -> (j < m)%nat ->
  two (-1021) <= Rabs (step i j) \/ real (G i j) = 0 ->
  Rabs (real (step_fl i j) - step i j) <= gamma step_K * Rabs (step i j).
Proof.
  intros H J. rewrite step_as_product by auto.
  destruct (move_near _ _ _ _ (G i j) _ (factor_sure i j H J)) as (F & _ & _ & N);
    [apply finite_G | apply product_bounded; assumption | fold step_K; lra |].
  fold step_K in N. intros R. specialize (N R). unfold step_fl. lra.
Qed.

Theorem matrix_X_new i j : (i < n)%nat -> (j < m)%nat ->
  finite (X_new_fl i j) /\
  Rabs (real (X_new_fl i j) - X_new i j) <=
    gamma step_K * Rabs (step i j) + two (-1074) + u * Rabs (real (X_new_fl i j)).
Proof.
  intros H J. unfold X_new. rewrite step_as_product by auto.
  destruct (new_near _ _ _ (X i j) _ (G i j) _ (factor_sure i j H J)) as (F & N);
    [apply finite_G | apply finite_X | apply product_bounded; assumption
    | apply (size_of _ 400), (entry_below n m (fun i j => real (X i j))); assumption
    | fold step_K; lra |].
  fold step_K in N. split; [exact F | unfold X_new_fl, step_fl; lra].
Qed.

Theorem matrix_float32 i j : (i < n)%nat -> (j < m)%nat ->
  Rabs (stored32 (X_new_fl i j) - X_new i j) <=
    half_ulp32 (X_new_fl i j) +
    (gamma step_K * Rabs (step i j) + two (-1074) + u * Rabs (real (X_new_fl i j))).
Proof. intros H J. destruct (matrix_X_new i j H J) as (_ & N). apply stored_after in N. lra. Qed.
End Matrix.
