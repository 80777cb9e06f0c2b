(* What the average with beta_2t = 1 - t^-c keeps of its first gradient. *)
Require Import Reals Lra Lia.
Require Import Sums Update Average.
Open Scope R_scope.

(* Average counts steps from 0. *)
Definition beta_2 c k := 1 - weight c (S k).
Definition first k := if Nat.eqb k 0 then 1 else 0.
(* With which weight the first gradient stands in the average after t + 1 steps. *)
Definition share c t := ema (beta_2 c) first (S t).

Lemma share_start c : share c 0 = 1.
Proof.
  unfold share, beta_2, first. simpl ema. rewrite weight_first. ring.
Qed.

Lemma share_step c t : share c (S t) = (1 - weight c (S (S t))) * share c t.
Proof.
  unfold share. fold (beta_2 c (S t)).
  change (ema (beta_2 c) first (S (S t)))
    with (beta_2 c (S t) * ema (beta_2 c) first (S t) + (1 - beta_2 c (S t)) * 0).
  ring.
Qed.

Lemma share_pos c t : 0 < c -> 0 < share c t.
Proof.
  intros C. induction t as [|t IH]; [rewrite share_start; lra|].
  rewrite share_step. pose proof (weight_later c (S (S t)) C ltac:(lia)).
  apply Rmult_lt_0_compat; lra.
Qed.

Theorem share_small c t : 0 < c <= 1 -> share c t <= / INR (S t).
Proof.
  intros C. induction t as [|t IH]; [rewrite share_start; simpl; lra|].
  rewrite share_step. pose proof (weight_later c (S (S t)) ltac:(lra) ltac:(lia)) as W.
  assert (T : 0 < INR (S t)) by (apply lt_0_INR; lia).
  assert (Large : / INR (S (S t)) <= weight c (S (S t))). {
    unfold weight. rewrite <- (Rpower_1 (INR (S (S t)))) at 1 by (apply lt_0_INR; lia).
    rewrite <- Rpower_Ropp. apply Rle_Rpower; [|lra]. apply (le_INR 1). lia. }
  rewrite (S_INR (S t)) in *.
  apply Rle_trans with ((1 - / (INR (S t) + 1)) * / INR (S t)).
  - pose proof (share_pos c t ltac:(lra)). apply Rmult_le_compat; lra.
  - right. field. lra.
Qed.

(* t^-c is at most what t^(1-c) / (c - 1) falls by from t - 1 to t, as it is convex. *)
Definition rest c t := Rpower (INR t) (- (c - 1)) / (c - 1).

Lemma rest_falls c t : 1 < c -> (0 < t)%nat -> weight c (S t) <= rest c t - rest c (S t).
Proof.
  intros C T. apply lt_0_INR in T. unfold weight, rest. rewrite S_INR.
  set (x := INR t) in *. clearbody x. set (a := c - 1). assert (A : 0 < a) by (unfold a; lra).
  replace (- c) with (- a + -1) by (unfold a; ring). clearbody a.
  rewrite Rpower_plus. rewrite Rpower_Ropp with (y := 1), Rpower_1 by lra.
  apply (Rmult_le_reg_r a); [assumption|].
  replace ((Rpower x (- a) / a - Rpower (x + 1) (- a) / a) * a)
    with (Rpower x (- a) - Rpower (x + 1) (- a)) by (field; lra).
  assert (Ratio : Rpower x (- a) = Rpower (x + 1) (- a) * exp (- a * ln (x / (x + 1)))). {
    unfold Rpower. rewrite <- exp_plus. f_equal. unfold Rdiv.
    rewrite ln_mult, ln_Rinv by (try apply Rinv_0_lt_compat; lra). ring. }
  assert (Logarithm : ln (x / (x + 1)) <= - / (x + 1)). {
    assert (0 < x / (x + 1)) by (apply Rdiv_lt_0_compat; lra).
    pose proof (exp_ineq1_le (ln (x / (x + 1)))) as E. rewrite exp_ln in E by assumption.
    replace (- / (x + 1)) with (x / (x + 1) - 1) by (field; lra). lra. }
  rewrite Ratio. pose proof (exp_ineq1_le (- a * ln (x / (x + 1)))).
  assert (0 < Rpower (x + 1) (- a)) by apply exp_pos.
  assert (1 + a * / (x + 1) <= exp (- a * ln (x / (x + 1)))) by nra. nra.
Qed.

Lemma rest_pos c t : 1 < c -> 0 < rest c t.
Proof. intros. apply Rdiv_lt_0_compat; [apply exp_pos | lra]. Qed.

Lemma beyond x : exists N, (0 < N)%nat /\ x < INR N.
Proof.
  destruct (archimed_cor1 (/ Rmax x 1)) as (N & Near & Some).
  - apply Rinv_0_lt_compat. pose proof (Rmax_r x 1). lra.
  - exists N. split; [assumption|]. apply lt_INR in Some as Positive. simpl in Positive.
    destruct (Rlt_dec x (INR N)) as [|Below]; [assumption|]. exfalso.
    assert (Rmax x 1 >= INR N) by (pose proof (Rmax_l x 1); lra).
    pose proof (Rinv_le_contravar (INR N) (Rmax x 1) Positive ltac:(lra)). lra.
Qed.

(* From some N on, t^-c sums to at most 1/2. *)
Lemma rest_vanishes c : 1 < c -> exists N, (0 < N)%nat /\ rest c N <= / 2.
Proof.
  intros C. set (a := c - 1). assert (A : 0 < a) by (unfold a; lra).
  destruct (beyond (Rpower (2 / a) (/ a))) as (N & Some & Large).
  assert (0 < Rpower (2 / a) (/ a)) by apply exp_pos.
  exists N. split; [assumption|].
  unfold rest. fold a. rewrite Rpower_Ropp.
  assert (Power : 2 / a <= Rpower (INR N) a). {
    rewrite <- (Rpower_1 (2 / a)) by (apply Rdiv_lt_0_compat; lra).
    replace 1 with (/ a * a) by (field; lra). rewrite <- Rpower_mult.
    apply Rle_Rpower_l; lra. }
  assert (0 < 2 / a) by (apply Rdiv_lt_0_compat; lra).
  apply Rinv_le_contravar in Power; [|assumption].
  apply (Rmult_le_reg_r a); [assumption|]. unfold Rdiv at 1.
  rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  apply Rle_trans with (1 := Power). right. field. lra.
Qed.

Lemma share_from c N k : 1 < c -> (0 < N)%nat -> rest c N <= / 2 ->
  rest c (N + k) <= rest c N /\
  share c (N - 1) * (1 - (rest c N - rest c (N + k))) <= share c (N + k - 1).
Proof.
  intros C Some Half. pose proof (share_pos c (N - 1) ltac:(lra)).
  induction k as [|k [Fallen IH]].
  - rewrite Nat.add_0_r. split; [lra | right; ring].
  - replace (N + S k - 1)%nat with (S (N + k - 1)) by lia. rewrite share_step.
    replace (S (S (N + k - 1))) with (S (N + k)) by lia.
    replace (N + S k)%nat with (S (N + k)) by lia.
    pose proof (rest_falls c (N + k) C ltac:(lia)) as Falls.
    pose proof (weight_later c (S (N + k)) ltac:(lra) ltac:(lia)) as W.
    set (w := weight c (S (N + k))) in *. set (r := rest c (N + k)) in *.
    set (r' := rest c (S (N + k))) in *. set (q := rest c N) in *. clearbody w r r' q.
    set (P := share c (N - 1)) in *. clearbody P.
    split; [lra|].
    apply Rle_trans with ((1 - w) * (P * (1 - (q - r)))); [|apply Rmult_le_compat_l; lra].
    replace ((1 - w) * (P * (1 - (q - r)))) with (P * ((1 - w) * (1 - (q - r)))) by ring.
    apply Rmult_le_compat_l; [lra|]. nra.
Qed.

Theorem share_large c : 1 < c -> exists least, 0 < least /\ forall t, least <= share c t.
Proof.
  intros Above. assert (C : 1 < c) by lra.
  destruct (rest_vanishes c C) as (N & Some & Half).
  pose proof (share_pos c (N - 1) ltac:(lra)) as Start.
  exists (share c (N - 1) * / 2). split; [lra|]. intros t.
  destruct (Nat.le_gt_cases (N - 1) t) as [Later|Earlier].
  - destruct (share_from c N (t + 1 - N) C Some Half) as (_ & From).
    replace (N + (t + 1 - N) - 1)%nat with t in From by lia.
    pose proof (rest_pos c (N + (t + 1 - N)) C).
    assert (0 <= share c (N - 1) * (/ 2 - rest c N + rest c (N + (t + 1 - N))))
      by (apply Rmult_le_pos; lra).
    lra.
  - apply Rle_trans with (share c (N - 1)); [lra|].
    replace (N - 1)%nat with (t + (N - 1 - t))%nat by lia. generalize (N - 1 - t)%nat as k.
    induction k as [|k IH]; [rewrite Nat.add_0_r; lra|].
    rewrite Nat.add_succ_r, share_step.
    pose proof (share_pos c (t + k) ltac:(lra)).
    pose proof (weight_later c (S (S (t + k))) ltac:(lra) ltac:(lia)). nra.
Qed.

Theorem forgets c : 0 < c -> (Un_cv (share c) 0 <-> c <= 1).
Proof.
  intros C. split.
  - intros Vanishes. destruct (Rle_dec c 1) as [|Above]; [lra|]. exfalso.
    destruct (share_large c ltac:(lra)) as (least & Positive & Least).
    destruct (Vanishes least Positive) as (N & Near). specialize (Near N ltac:(auto)).
    specialize (Least N). unfold R_dist in Near.
    rewrite Rminus_0_r, Rabs_pos_eq in Near; lra.
  - intros Small epsilon Positive.
    destruct (beyond (/ epsilon)) as (N & _ & Large).
    pose proof (Rinv_0_lt_compat epsilon Positive).
    exists N. intros t Later. unfold R_dist. rewrite Rminus_0_r.
    rewrite Rabs_pos_eq by (left; apply share_pos; assumption).
    apply Rle_lt_trans with (1 := share_small c t (conj C Small)).
    rewrite <- (Rinv_inv epsilon). apply le_INR in Later. rewrite S_INR.
    apply Rinv_lt_contravar; [apply Rmult_lt_0_compat|]; lra.
Qed.
