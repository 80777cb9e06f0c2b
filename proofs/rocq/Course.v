(* What t steps keep: a moving average, R_i, C_j or V_i, computed in doubles from its beginning. *)
From Flocq Require Import Core BinarySingleNaN.
Require Import Reals Lra Lia Psatz List Permutation.
Require Import Sums Trees Near Binary64 Mean Statistic Step.
Open Scope R_scope.

(* `weights s` and `news s` are those of step s + 1, `x s` is the sum that `news s` stands for. *)
Fixpoint average_fl (betas weights news : nat -> double) t : double :=
  match t with
  | O => B754_zero false
  | S s => (betas s * average_fl betas weights news s + weights s * news s)%D
  end.

Fixpoint average (beta omega x : nat -> R) t : R :=
  match t with O => 0 | S s => beta s * average beta omega x s + omega s * x s end.

Section Course.
Variables betas weights news : nat -> double.
Variables beta omega x : nat -> R.
Variables k_beta k_omega k t : nat.
Variable a : R.

Definition course_K s := ((k_beta + 3) * s + (k_omega + k))%nat.

Hypothesis news_given : forall s, (s < t)%nat -> gives k a 401 (news s) (x s) /\ two (-200) <= x s.
Hypothesis a_bounded : a <= two (-1000).
Hypothesis betas_given : forall s, (s < t)%nat ->
  finite (betas s) /\ near k_beta 0 (real (betas s)) (beta s) /\ real (betas s) <= 1 /\ beta s <= 1.
Hypothesis weights_given : forall s, (s < t)%nat ->
  finite (weights s) /\ near k_omega 0 (real (weights s)) (omega s) /\
  real (weights s) <= 1 /\ omega s <= 1 /\ two (-53) <= omega s.
Hypothesis nearly_one : forall s, (s < t)%nat -> beta s + omega s <= 1 + u.
Hypothesis few_K : INR (course_K t) * u <= / 2.

Lemma t_bounded : INR t * u <= / 2.
Proof.
  pose proof unit_small. apply Rle_trans with (2 := few_K). apply Rmult_le_compat_r; [lra|].
  apply le_INR. unfold course_K. nia.
Qed.

Lemma growth_bounded s : (s <= t)%nat -> (1 + u) ^ s <= 2.
Proof.
  intros Hs. pose proof unit_small. pose proof t_bounded.
  assert (F : / 2 <= (1 - u) ^ s). {
    pose proof (bernoulli u unit_small s). apply le_INR in Hs.
    assert (INR s * u <= INR t * u) by (apply Rmult_le_compat_r; lra). lra. }
  assert (P : (1 + u) ^ s * (1 - u) ^ s <= 1). {
    rewrite <- Rpow_mult_distr. replace ((1 + u) * (1 - u)) with (1 - u * u) by ring.
    apply (power_le_1 (u * u)). nra. }
  pose proof (pow_lt (1 + u) s ltac:(lra)). nra.
Qed.

Lemma average_bounded s : (s <= t)%nat ->
  0 <= average beta omega x s <= (1 + u) ^ s * two 401.
Proof.
  pose proof unit_small as Us. induction s as [|s IH]; intros H; cbn [average pow].
  - pose proof (two_pos 401). lra.
  - destruct IH as (L & B); [lia|]. pose proof (nearly_one s ltac:(lia)) as One.
    destruct (news_given s H) as ((_ & Nx & _ & Bx) & _), (betas_given s H) as (_ & Nb & _).
    destruct (weights_given s H) as (_ & Nw & _).
    assert (0 <= beta s) by apply Nb. assert (0 <= omega s) by apply Nw.
    assert (0 <= x s) by apply Nx.
    pose proof (two_pos 401). assert (G : 1 <= (1 + u) ^ s) by (apply pow_R1_Rle; lra).
    set (p := (1 + u) ^ s * two 401) in *.
    assert (two 401 <= p) by (unfold p; nra).
    assert (beta s * average beta omega x s <= beta s * p) by (apply Rmult_le_compat_l; lra).
    assert (omega s * x s <= omega s * p) by (apply Rmult_le_compat_l; lra).
    assert ((beta s + omega s) * p <= (1 + u) * p) by (apply Rmult_le_compat_r; lra).
    split; [apply Rplus_le_le_0_compat; apply Rmult_le_pos; lra|].
    replace ((1 + u) * (1 + u) ^ s * two 401) with ((1 + u) * p) by (unfold p; ring).
    lra.
Qed.

Lemma average_gives s : (s <= t)%nat ->
  gives (course_K s) 0 406 (average_fl betas weights news s) (average beta omega x s).
Proof.
  induction s as [|s IH]; intros H.
  - apply gives_le with 0%nat 0 406%Z; try lia; try lra.
    apply (gives_given (B754_zero false)); auto. simpl. pose proof (two_pos 406). lra.
  - destruct (news_given s H) as (Nx & Lx), (betas_given s H) as (Fb & Nb & Bb & Bb').
    destruct (weights_given s H) as (Fw & Nw & Bw & Bw' & Lw).
    pose proof (average_bounded (S s) H) as (_ & B). pose proof (growth_bounded (S s) H) as G.
    assert (Few : few (course_K (S s))). {
      apply few_less with (course_K t); [apply few_of_gamma, few_K|]. unfold course_K. nia. }
    destruct (course_K (S s)) as [|l] eqn:E; [unfold course_K in E; nia|].
    destruct (moving_sure (course_K s) k k_beta k_omega a l
      (betas s) (weights s) (average_fl betas weights news s) (news s)
      (beta s) (omega s) (average beta omega x s) (x s)) as (F & N & _); auto;
      try (unfold course_K in *; nia).
    + apply IH. lia.
    + apply few_less with (S l); auto.
    + refine (conj F (conj N (conj _ _))); [lra|]. apply Rle_trans with (1 := B).
      apply Rle_trans with (2 * two 401).
      * apply Rmult_le_compat_r; auto. apply bpow_ge_0.
      * rewrite doubled. apply two_le. lia.
Qed.

Theorem state_after_t_steps :
  finite (average_fl betas weights news t) /\
  Rabs (real (average_fl betas weights news t) - average beta omega x t) <=
    gamma (course_K t) * average beta omega x t.
Proof.
  pose proof (average_gives t (le_n t)) as (F & N & _). split; auto.
  apply (near_bound u unit_small) in N; [|lra]. fold (gamma (course_K t)) in N. lra.
Qed.
End Course.

(* The rates of the paper, omega_t = t^(-4/5) and beta_2t = 1 - omega_t, and their doubles: `pow`
   is not proved but assumed to be near omega_t up to k roundings. *)

Definition paper_omega t := Rpower (INR t) (- (4 / 5)).

Lemma omega_1 : paper_omega 1 = 1.
Proof. unfold paper_omega, Rpower. simpl. rewrite ln_1, Rmult_0_r. apply exp_0. Qed.

Lemma root_above : 5 / 3 <= Rpower 2 (4 / 5).
Proof.
  assert (P : 0 < Rpower 2 (4 / 5)) by apply exp_pos.
  assert (E : Rpower 2 (4 / 5) ^ 5 = 16). {
    rewrite <- Rpower_pow by auto. rewrite Rpower_mult.
    replace (4 / 5 * INR 5) with (INR 4) by (simpl; field). rewrite Rpower_pow by lra. simpl. lra. }
  set (p := Rpower 2 (4 / 5)) in *. clearbody p.
  destruct (Rle_lt_dec (5 / 3) p) as [H|H]; auto. exfalso.
  assert (p ^ 5 <= (5 / 3) ^ 5) by (apply pow_incr; lra). lra.
Qed.

Lemma omega_below t : (2 <= t)%nat -> paper_omega t <= 3 / 5.
Proof.
  intros H. unfold paper_omega. rewrite Rpower_Ropp.
  assert (L : 5 / 3 <= Rpower (INR t) (4 / 5)). {
    apply Rle_trans with (1 := root_above). apply Rle_Rpower_l; [lra|]. split; [lra|].
    apply (le_INR 2). auto. }
  replace (3 / 5) with (/ (5 / 3)) by field. apply Rinv_le_contravar; lra.
Qed.

Lemma omega_above t : (1 <= t)%nat -> / INR t <= paper_omega t.
Proof.
  intros H. apply le_INR in H. simpl in H. unfold paper_omega.
  rewrite <- (Rpower_1 (INR t)) at 1 by lra. rewrite <- Rpower_Ropp.
  apply Rle_Rpower; lra.
Qed.

(* What a difference from 1 does to the roundings of a weight that is not above 3/5. *)
Lemma difference_near k omega y : near k 0 y omega -> omega <= 3 / 5 -> / 32 * 31 <= (1 - u) ^ k ->
  near (k + k) 0 (1 - y) (1 - omega).
Proof.
  intros (_ & Y & W & L & H) B F. pose proof unit_small.
  pose proof (power_le_1 u unit_small k) as Q. rewrite !Rplus_0_r in *.
  set (p := (1 - u) ^ k) in *.
  assert (Y1 : y <= 3 / 5 * (32 / 31)) by nra.
  assert (P : 31 / 32 <= p <= 1) by lra.
  assert (A1 : 0 <= (1 - p) * (p + p * p - omega * (1 + p + p * p))) by (apply Rmult_le_pos; nra).
  assert (A2 : 0 <= (1 - p) * (1 + p - omega * (1 + p + p * p))) by (apply Rmult_le_pos; nra).
  unfold Near.near. rewrite pow_add. fold p. repeat split; try lra.
  - apply (Rmult_le_reg_r p); [lra|].
    replace ((1 - omega) * (p * p) * p)
      with (p - omega - (1 - p) * (p + p * p - omega * (1 + p + p * p))) by ring.
    replace ((1 - y + 0) * p) with (p - y * p) by ring. lra.
  - apply Rle_trans with ((1 - omega * p) * (p * p)); [apply Rmult_le_compat_r; nra|].
    replace ((1 - omega * p) * (p * p))
      with (1 - omega - (1 - p) * (1 + p - omega * (1 + p + p * p))) by ring.
    lra.
Qed.

(* beta_2t as the loops have it, of a weight in doubles. *)
Definition beta_fl (w : double) : double := (Bone - w)%D.

Lemma beta_of (w : double) : finite w -> 0 <= real w <= 1 ->
  finite (beta_fl w) /\ real (beta_fl w) = rnd (1 - real w).
Proof.
  intros F B. assert (V : real (Bone : double) = 1) by apply Bone_correct.
  unfold beta_fl. rewrite <- V. apply difference_of; auto.
  rewrite V, Rabs_pos_eq by lra.
  apply Rle_trans with (two 0); [rewrite two_0; lra | apply two_le; lia].
Qed.

Lemma beta_rounded (w : double) : finite w -> 0 <= real w <= 1 ->
  (1 - real w) * (1 - u) <= real (beta_fl w) /\ real (beta_fl w) * (1 - u) <= 1 - real w /\
  0 <= real (beta_fl w) <= 1.
Proof.
  intros F B. destruct (beta_of w F B) as (_ & V). rewrite V.
  assert (V1 : real (Bone : double) = 1) by apply Bone_correct.
  pose proof (rnd_sum Bone (Bopp w)) as R. rewrite B2R_Bopp, V1 in R.
  replace (1 + - real w) with (1 - real w) in R by ring.
  assert (Q : Rabs (rnd (1 - real w)) <= two 0)
    by (apply rnd_within; [lia | rewrite two_0, Rabs_pos_eq; lra]).
  rewrite two_0 in Q. apply Rabs_le_inv in Q. pose proof (rnd_nonneg (1 - real w) ltac:(lra)).
  destruct R; repeat split; lra.
Qed.

(* The state that the paper's own rates would give, from weights that `pow` gives within k_pow
   roundings of t^(-4/5), exactly 1 at t = 1. *)
Theorem state_of_the_paper weights news x k k_pow t a :
  (forall s, (s < t)%nat -> gives k a 401 (news s) (x s) /\ two (-200) <= x s) ->
  a <= two (-1000) ->
  (forall s, (s < t)%nat -> finite (weights s) /\ real (weights s) <= 1 /\
    near k_pow 0 (real (weights s)) (paper_omega (S s))) ->
  real (weights 0%nat) = 1 -> INR k_pow * u <= / 32 ->
  INR (course_K (S (k_pow + k_pow)) k_pow k t) * u <= / 2 ->
  Rabs (real (average_fl (fun s => beta_fl (weights s)) weights news t) -
      average (fun s => 1 - paper_omega (S s)) (fun s => paper_omega (S s)) x t) <=
    gamma (course_K (S (k_pow + k_pow)) k_pow k t) *
      average (fun s => 1 - paper_omega (S s)) (fun s => paper_omega (S s)) x t.
Proof.
  intros News A W First Small Few. pose proof unit_small as Us.
  assert (T : INR t * u <= / 2). {
    apply Rle_trans with (2 := Few). apply Rmult_le_compat_r; [lra|]. apply le_INR.
    unfold course_K. nia. }
  assert (Below1 : forall s, 0 <= paper_omega (S s) <= 1). {
    intros s. split; [left; apply exp_pos|]. destruct s as [|s]; [rewrite omega_1; lra|].
    apply Rle_trans with (3 / 5); [apply omega_below; lia | lra]. }
  apply state_after_t_steps with (k_omega := k_pow) (a := a); auto.
  - intros s Hs. destruct (W s Hs) as (F & B & N). assert (0 <= real (weights s)) by apply N.
    destruct (beta_rounded (weights s) F) as (L & U & Q); [lra|].
    destruct (beta_of (weights s) F) as (F' & _); [lra|]. specialize (Below1 s).
    refine (conj F' (conj _ (conj _ _))); try lra.
    assert (Near1 : near (k_pow + k_pow) 0 (1 - real (weights s)) (1 - paper_omega (S s))). {
      destruct s as [|s].
      - rewrite First, omega_1. replace (1 - 1) with 0 by ring.
        apply (near_le u unit_small) with 0%nat 0; try lia; try lra. apply near_refl. lra.
      - apply difference_near; auto; [apply omega_below; lia|].
        pose proof (bernoulli u unit_small k_pow). lra. }
    replace 0 with (0 + 0) by ring.
    apply (near_rounded u unit_small) with (1 - real (weights s)); auto; lra.
  - intros s Hs. destruct (W s Hs) as (F & B & N). specialize (Below1 s).
    refine (conj F (conj N (conj B (conj _ _)))); [lra|].
    apply Rle_trans with (/ INR (S s)); [|apply omega_above; lia].
    assert (P : 1 <= INR (S s) <= INR t) by (split; [apply (le_INR 1) | apply le_INR]; lia).
    change (-53)%Z with (- (53))%Z. rewrite bpow_opp. apply Rinv_le_contravar; [lra|].
    assert (E : two 53 * u = 1) by (unfold u; rewrite <- bpow_plus; reflexivity).
    assert (INR (S s) * u <= INR t * u) by (apply Rmult_le_compat_r; lra).
    apply (Rmult_le_reg_r u); lra.
  - intros s _. lra.
Qed.

(* The state that the rates as doubles give, taken as they are. *)
Theorem state_of_the_doubles weights news x k t a :
  (forall s, (s < t)%nat -> gives k a 401 (news s) (x s) /\ two (-200) <= x s) ->
  a <= two (-1000) ->
  (forall s, (s < t)%nat -> finite (weights s) /\ two (-53) <= real (weights s) <= 1) ->
  INR (course_K 0 0 k t) * u <= / 2 ->
  let beta s := real (beta_fl (weights s)) in let omega s := real (weights s) in
  Rabs (real (average_fl (fun s => beta_fl (weights s)) weights news t) - average beta omega x t) <=
    gamma (course_K 0 0 k t) * average beta omega x t.
Proof.
  intros News A W Few beta omega. pose proof unit_small. pose proof (two_pos (-53)).
  assert (B : forall s, (s < t)%nat ->
    finite (beta_fl (weights s)) /\ 0 <= beta s <= 1 /\ beta s + omega s <= 1 + u). {
    intros s H1. destruct (W s H1) as (F & L).
    destruct (beta_rounded (weights s) F) as (_ & Up & Q); [lra|].
    refine (conj _ (conj Q _)); [apply beta_of; auto; lra|]. unfold beta, omega. nra. }
  apply state_after_t_steps with (k_omega := 0%nat) (a := a); auto.
  - intros s H1. destruct (B s H1) as (F & Q & _).
    refine (conj F (conj _ _)); [|unfold beta in *; lra].
    apply near_refl. apply Q.
  - intros s H1. destruct (W s H1) as (F & Q).
    refine (conj F (conj _ _)); [|unfold omega in *; lra].
    apply near_refl. subst omega. lra.
  - intros s H1. apply (B s H1).
Qed.

(* The statistics of the loops are such averages: R_i, of a row of l = m entries, or C_j, of a
   column of n, and V_i.  `weights s` is that of step s + 1, `g s` its gradients. *)

Section Statistics.
Variables (g : nat -> nat -> double) (weights : nat -> double) (epsilon_1 size : double).
Variables (trees : nat -> tree nat) (l D t k_pow : nat).

Definition new_fl s := (added (fun i => g s i * g s i) (trees s) + size * epsilon_1)%D.
Definition new s := sum l (fun i => real (g s i) ^ 2 + real epsilon_1).
Definition V_new_fl i s := (g s i * g s i + epsilon_1)%D.
Definition V_new i s := real (g s i) ^ 2 + real epsilon_1.

Hypothesis epsilon_1_given : finite epsilon_1 /\ two (-200) <= real epsilon_1 <= two 200.
Hypothesis finite_g : forall s i, finite (g s i).
Hypothesis sums_of_g : forall s, sum l (fun i => real (g s i) ^ 2) <= two 400.
Hypothesis every_term : forall s,
  Permutation (leaves (trees s)) (seq 0 l) /\ (depth (trees s) <= D)%nat.
Hypothesis size_given : finite size /\ real size = INR l /\ 1 <= INR l <= two 44.
Hypothesis weights_given : forall s, (s < t)%nat ->
  finite (weights s) /\ two (-53) <= real (weights s) <= 1.

Lemma news_give K s : INR K * u <= / 2 -> (S (1 + D) <= K)%nat ->
  gives (S (1 + D)) (INR l * least) 401 (new_fl s) (new s) /\ two (-200) <= new s /\
  INR l * least <= two (-1000).
Proof.
  intros B H. destruct (every_term s) as (P & Dp), size_given as (Fs & Vs & Ls).
  apply new_gives; auto. apply few_less with K; auto. apply few_of_gamma, B.
Qed.

Theorem statistic_after_t_steps : INR (course_K 0 0 (S (1 + D)) t) * u <= / 2 ->
  let R := average (fun s => real (beta_fl (weights s))) (fun s => real (weights s)) new t in
  Rabs (real (average_fl (fun s => beta_fl (weights s)) weights new_fl t) - R) <=
    gamma (course_K 0 0 (S (1 + D)) t) * R.
Proof.
  intros B. assert (N : forall s, _) by (intros s; apply (news_give _ s B); unfold course_K; lia).
  apply state_of_the_doubles with (a := INR l * least); auto; [|apply (N 0%nat)].
  intros s _. split; apply (N s).
Qed.

Theorem V_after_t_steps i : (i < l)%nat -> INR (course_K 0 0 2 t) * u <= / 2 ->
  let V := average (fun s => real (beta_fl (weights s))) (fun s => real (weights s)) (V_new i) t in
  Rabs (real (average_fl (fun s => beta_fl (weights s)) weights (V_new_fl i) t) - V) <=
    gamma (course_K 0 0 2 t) * V.
Proof.
  intros I B.
  assert (F : few 2) by (apply few_less with (course_K 0 0 2 t);
    [apply few_of_gamma, B | unfold course_K; lia]).
  assert (N : forall s, _) by (intros s; apply (new_of_entry_gives epsilon_1 (g s i)); auto;
    apply Rle_trans with (2 := sums_of_g s); apply (sum_one l (fun i => real (g s i) ^ 2)); auto;
    intros; apply square_nonneg).
  apply state_of_the_doubles with (a := least); auto; [|apply (N 0%nat)].
  intros s _. split; apply (N s).
Qed.

Theorem statistic_of_the_paper :
  (forall s, (s < t)%nat -> near k_pow 0 (real (weights s)) (paper_omega (S s))) ->
  real (weights 0%nat) = 1 -> INR k_pow * u <= / 32 ->
  INR (course_K (S (k_pow + k_pow)) k_pow (S (1 + D)) t) * u <= / 2 ->
  let R := average (fun s => 1 - paper_omega (S s)) (fun s => paper_omega (S s)) new t in
  Rabs (real (average_fl (fun s => beta_fl (weights s)) weights new_fl t) - R) <=
    gamma (course_K (S (k_pow + k_pow)) k_pow (S (1 + D)) t) * R.
Proof.
  intros Pow First Few B.
  assert (N : forall s, _) by (intros s; apply (news_give _ s B); unfold course_K; lia).
  apply state_of_the_paper with (a := INR l * least); auto; [|apply (N 0%nat)|].
  - intros s _. split; apply (N s).
  - intros s H. destruct (weights_given s H) as (F & W). repeat split; auto; try lra; apply Pow, H.
Qed.
End Statistics.
