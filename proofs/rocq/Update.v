(* What bounds U, and what does not. *)
Require Import Reals Lra Lia.
Require Import Sums.
Open Scope R_scope.

Section Matrix.
(* Rr and Cc are R and C, S their total, and g i j is G_ij^2. *)
Variables (n m : nat) (Rr Cc : nat -> R) (S : R) (g : nat -> nat -> R).
Hypothesis R_pos : forall i, (i < n)%nat -> 0 < Rr i.
Hypothesis C_pos : forall j, (j < m)%nat -> 0 < Cc j.
Hypothesis S_pos : 0 < S.

Definition V i j := Rr i * Cc j / S.
Definition U2 i j := g i j / V i j.

Theorem energy :
  sum n (fun i => sum m (fun j => V i j * U2 i j)) = sum n (fun i => sum m (fun j => g i j)).
Proof.
  apply sum_ext. intros i Hi. apply sum_ext. intros j Hj. unfold U2, V.
  specialize (R_pos i Hi). specialize (C_pos j Hj). field. lra.
Qed.

Variables (b c : R).
Hypothesis decay : 0 <= b < 1.
Hypothesis g_nonneg : forall i j, (i < n)%nat -> (j < m)%nat -> 0 <= g i j.
Hypothesis R_large : forall i, (i < n)%nat -> (1 - b) * sum m (g i) <= Rr i.
Hypothesis c_pos : 0 < c.
Hypothesis C_least : forall j, (j < m)%nat -> c <= Cc j.

Lemma entry_bound i j : (i < n)%nat -> (j < m)%nat -> U2 i j <= S / (c * Rr i) * g i j.
Proof.
  intros Hi Hj. specialize (R_pos i Hi). specialize (C_least j Hj). specialize (g_nonneg i j Hi Hj).
  unfold U2, V.
  replace (g i j / (Rr i * Cc j / S)) with (g i j * S / Rr i * / Cc j) by (field; lra).
  replace (S / (c * Rr i) * g i j) with (g i j * S / Rr i * / c) by (field; lra).
  apply Rmult_le_compat_l.
  - apply Rmult_le_pos; [nra | left; apply Rinv_0_lt_compat; assumption].
  - apply Rinv_le_contravar; assumption.
Qed.

Lemma row_bound i : (i < n)%nat -> (1 - b) * c * sum m (U2 i) <= S.
Proof.
  intros Hi. apply Rle_trans with ((1 - b) * c * (S / (c * Rr i) * sum m (g i))).
  - apply Rmult_le_compat_l; [nra|]. rewrite <- sum_scal.
    apply sum_le. intros. apply entry_bound; assumption.
  - specialize (R_pos i Hi). specialize (R_large i Hi).
    apply (Rmult_le_reg_r (Rr i)); [assumption|].
    replace ((1 - b) * c * (S / (c * Rr i) * sum m (g i)) * Rr i)
      with (S * ((1 - b) * sum m (g i))) by (field; lra).
    apply Rmult_le_compat_l; lra.
Qed.

Lemma sum_bound : (1 - b) * c * sum n (fun i => sum m (U2 i)) <= INR n * S.
Proof.
  rewrite <- sum_scal, <- sum_const. apply sum_le. intros. apply row_bound. assumption.
Qed.

Lemma mean_bound : (0 < n)%nat -> (0 < m)%nat ->
  sum n (fun i => sum m (U2 i)) / (INR n * INR m) <= S / INR m / c / (1 - b).
Proof.
  intros N M. apply lt_INR in N, M. simpl in N, M.
  apply (Rmult_le_reg_r ((1 - b) * c * (INR n * INR m))); [repeat apply Rmult_lt_0_compat; lra|].
  apply Rle_trans with ((1 - b) * c * sum n (fun i => sum m (U2 i))).
  - right. field. lra.
  - apply Rle_trans with (1 := sum_bound). right. field. lra.
Qed.
End Matrix.

(* RMS(U)^2 <= min(mean R / min R, mean C / min C) / (1 - beta_2): r and c are at most the least of
   R and of C.  The part of the rows is that of the columns of the transpose. *)
Theorem rms_bound n m (Rr Cc : nat -> R) S (g : nat -> nat -> R) b r c :
  (0 < n)%nat -> (0 < m)%nat -> 0 < S -> 0 <= b < 1 ->
  (forall i j, (i < n)%nat -> (j < m)%nat -> 0 <= g i j) ->
  (forall i, (i < n)%nat -> (1 - b) * sum m (fun j => g i j) <= Rr i) ->
  (forall j, (j < m)%nat -> (1 - b) * sum n (fun i => g i j) <= Cc j) ->
  0 < r -> (forall i, (i < n)%nat -> r <= Rr i) ->
  0 < c -> (forall j, (j < m)%nat -> c <= Cc j) ->
  sum n (fun i => sum m (fun j => g i j / (Rr i * Cc j / S))) / (INR n * INR m)
    <= Rmin (S / INR n / r) (S / INR m / c) / (1 - b).
Proof.
  intros N M Total Decay Squares R_large C_large R_pos R_least C_pos C_least.
  assert (forall i, (i < n)%nat -> 0 < Rr i) by (intros i Hi; specialize (R_least i Hi); lra).
  assert (forall j, (j < m)%nat -> 0 < Cc j) by (intros j Hj; specialize (C_least j Hj); lra).
  unfold Rmin. destruct (Rle_dec _ _).
  - rewrite sum_swap, (Rmult_comm (INR n)).
    rewrite (sum_ext m _ (fun j => sum n (U2 Cc Rr S (fun j i => g i j) j)))
      by (intros; apply sum_ext; intros; unfold U2, V; rewrite (Rmult_comm (Cc _)); reflexivity).
    apply mean_bound with (b := b) (c := r); auto.
  - apply mean_bound with (Rr := Rr) (b := b) (c := c); auto.
Qed.

(* Of a gradient diag(delta, 1) at t = 1, with epsilon_1 = 0: R and C are delta^2 and 1. *)
Theorem rms_unbounded : forall M, exists delta, 0 < delta < 1 /\
  M < (delta ^ 2 * (1 + delta ^ 2) / (delta ^ 2 * delta ^ 2) + 1 * (1 + delta ^ 2) / (1 * 1)) / 4.
Proof.
  intros M. set (K := Rmax 1 (4 * M) + 1). exists (/ K).
  assert (Large : 2 <= K) by (unfold K; pose proof (Rmax_l 1 (4 * M)); lra).
  assert (4 * M <= K) by (unfold K; pose proof (Rmax_r 1 (4 * M)); lra).
  split; [split|].
  - apply Rinv_0_lt_compat. lra.
  - rewrite <- Rinv_1. apply Rinv_lt_contravar; lra.
  - pose proof (pow2_ge_0 (/ K)).
    replace (_ / 4) with ((K ^ 2 + 2 + (/ K) ^ 2) / 4) by (field; lra). nra.
Qed.

(* Vectors: U after t steps of V_t = beta_2t V_(t-1) + (1 - beta_2t) (G_t^2 + epsilon_1). *)

(* 1 - beta_2t with the exponent c. *)
Definition weight c t := Rpower (INR t) (- c).

Lemma weight_first c : weight c 1 = 1.
Proof. unfold weight, Rpower. simpl. rewrite ln_1, Rmult_0_r. apply exp_0. Qed.

Lemma weight_later c t : 0 < c -> (1 < t)%nat -> 0 < weight c t < 1.
Proof.
  intros C Later. split; [apply exp_pos|]. apply lt_1_INR in Later.
  rewrite <- (Rpower_O (INR t)) by lra. apply Rpower_lt; lra.
Qed.

Lemma weight_range c t : 0 < c -> (0 < t)%nat -> 0 < weight c t <= 1.
Proof.
  intros C Begun. destruct (Nat.eq_dec t 1) as [->|Later]; [rewrite weight_first; lra|].
  pose proof (weight_later c t C ltac:(lia)). lra.
Qed.

(* The paper's. *)
Definition w t := weight (4 / 5) t.

Lemma w_range t : (0 < t)%nat -> 0 < w t <= 1.
Proof. apply weight_range. lra. Qed.

Section Vector.
Variables (epsilon V_0 : R) (G : nat -> R).

Fixpoint V_of t :=
  match t with
  | O => V_0
  | S k => (1 - w t) * V_of k + w t * (G t ^ 2 + epsilon)
  end.
Definition U_of t := G t / sqrt (V_of t).
End Vector.

Lemma bound_squared t : Rpower (INR t) (2 / 5) ^ 2 * w t = 1.
Proof.
  unfold w, weight. rewrite <- Rpower_pow by apply exp_pos.
  rewrite Rpower_mult, <- Rpower_plus. simpl INR.
  replace (2 / 5 * (1 + 1) + - (4 / 5)) with 0 by field. unfold Rpower. rewrite Rmult_0_l.
  apply exp_0.
Qed.

Lemma V_nonneg epsilon V_0 G t : 0 <= epsilon -> 0 <= V_0 -> 0 <= V_of epsilon V_0 G t.
Proof.
  intros E First. induction t as [|t IH]; [assumption|]. simpl.
  pose proof (w_range (S t) ltac:(lia)). pose proof (pow2_ge_0 (G (S t))).
  apply Rplus_le_le_0_compat; apply Rmult_le_pos; lra.
Qed.

Theorem vector_bound epsilon V_0 G t :
  0 < epsilon -> 0 <= V_0 -> (0 < t)%nat -> Rabs (U_of epsilon V_0 G t) < Rpower (INR t) (2 / 5).
Proof.
  intros E First Begun. pose proof (w_range t Begun) as W. pose proof (bound_squared t) as B.
  assert (Bound : 0 < Rpower (INR t) (2 / 5)) by apply exp_pos.
  assert (Newest : w t * (G t ^ 2 + epsilon) <= V_of epsilon V_0 G t). {
    destruct t as [|t]; [lia|]. simpl V_of.
    pose proof (V_nonneg epsilon V_0 G t ltac:(lra) First). nra. }
  pose proof (pow2_ge_0 (G t)). unfold U_of.
  set (h := Rpower (INR t) (2 / 5)) in *. set (a := w t) in *.
  set (v := V_of epsilon V_0 G t) in *. clearbody h a v.
  assert (Positive : 0 < v) by (apply Rlt_le_trans with (2 := Newest); nra).
  pose proof (sqrt_lt_R0 v Positive) as Root. pose proof (pow2_sqrt v ltac:(lra)) as Square.
  unfold Rdiv. rewrite Rabs_mult, (Rabs_pos_eq (/ sqrt v))
    by (left; apply Rinv_0_lt_compat; assumption).
  apply (Rmult_lt_reg_r (sqrt v)); [assumption|].
  rewrite Rmult_assoc, Rinv_l, Rmult_1_r by lra.
  rewrite <- (Rabs_pos_eq (_ * sqrt v)) by nra.
  apply Rsqr_lt_abs_0. rewrite !Rsqr_pow2, Rpow_mult_distr, Square.
  apply Rlt_le_trans with (h ^ 2 * (a * (G t ^ 2 + epsilon))).
  - replace (h ^ 2 * (a * (G t ^ 2 + epsilon))) with (h ^ 2 * a * (G t ^ 2 + epsilon)) by ring.
    rewrite B. lra.
  - apply Rmult_le_compat_l; [apply pow2_ge_0 | assumption].
Qed.

(* No smaller bound holds: zero gradients until t, then a large one. *)
Theorem vector_bound_sharp epsilon t M :
  0 < epsilon -> (0 < t)%nat -> M < Rpower (INR t) (2 / 5) ->
  exists G, M < Rabs (U_of epsilon 0 G t).
Proof.
  intros E Begun Below. pose proof (w_range t Begun) as W. pose proof (bound_squared t) as B.
  assert (Bound : 0 < Rpower (INR t) (2 / 5)) by apply exp_pos.
  set (h := Rpower (INR t) (2 / 5)) in *. set (a := w t) in *.
  set (N := Rmax M 0). assert (Least : 0 <= N < h /\ M <= N)
    by (unfold N, Rmax; destruct (Rle_dec M 0); lra).
  assert (Left : 0 < 1 - N ^ 2 * a) by (rewrite <- B; clearbody h a N; nra).
  set (x := N ^ 2 * epsilon / (1 - N ^ 2 * a) + 1).
  assert (Scaled : (x - 1) * (1 - N ^ 2 * a) = N ^ 2 * epsilon) by (unfold x; field; lra).
  assert (Large : 1 <= x). {
    assert (0 <= x - 1); [|lra]. apply (Rmult_le_reg_r (1 - N ^ 2 * a)); [assumption|].
    rewrite Scaled. pose proof (pow2_ge_0 N). nra. }
  clearbody x.
  set (G := fun s => if Nat.eqb s t then x else 0).
  assert (Before : forall s, (s < t)%nat -> 0 <= V_of epsilon 0 G s <= epsilon). {
    induction s as [|s IH]; intros Earlier; simpl; [lra|].
    assert (Zero : G (S s) = 0) by (unfold G; replace (Nat.eqb (S s) t) with false; auto;
      symmetry; apply Nat.eqb_neq; lia).
    rewrite Zero. pose proof (w_range (S s) ltac:(lia)). specialize (IH ltac:(lia)). nra. }
  exists G. unfold U_of.
  assert (Last : G t = x) by (unfold G; rewrite Nat.eqb_refl; reflexivity).
  assert (Sized : 0 < V_of epsilon 0 G t <= epsilon + a * x ^ 2). {
    unfold a in *. destruct t as [|t]; [lia|]. simpl V_of. rewrite Last.
    specialize (Before t ltac:(lia)). clearbody h N G. split; nra. }
  rewrite Last. set (v := V_of epsilon 0 G t) in *. clearbody v h a N.
  pose proof (sqrt_lt_R0 v ltac:(lra)) as Root. pose proof (pow2_sqrt v ltac:(lra)) as Square.
  assert (0 < x / sqrt v) by (apply Rdiv_lt_0_compat; lra). rewrite Rabs_pos_eq by lra.
  apply Rle_lt_trans with N; [lra|]. apply (Rmult_lt_reg_r (sqrt v)); [assumption|].
  replace (x / sqrt v * sqrt v) with x by (field; lra).
  apply Rsqr_incrst_0; [|nra|lra]. rewrite !Rsqr_pow2, Rpow_mult_distr, Square.
  apply Rle_lt_trans with (N ^ 2 * (epsilon + a * x ^ 2)).
  - apply Rmult_le_compat_l; [apply pow2_ge_0 | lra].
  - apply (Rmult_lt_compat_r (1 - N ^ 2 * a) (x - 1) (x ^ 2)) in Left as Larger; nra.
Qed.
