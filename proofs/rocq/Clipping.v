(* The root of a mean square, and the divisor of U_hat. *)
Require Import Reals Lra Lia.
Require Import Sums.
Open Scope R_scope.

Definition mean_square (n : nat) (x : nat -> R) := sum n (fun i => x i ^ 2) / INR n.
Definition RMS n x := sqrt (mean_square n x).

Lemma mean_square_nonneg n x : (0 < n)%nat -> 0 <= mean_square n x.
Proof.
  intros Some. apply lt_INR in Some. simpl in Some. apply Rmult_le_pos.
  - apply sum_nonneg. intros. apply pow2_ge_0.
  - left. apply Rinv_0_lt_compat. assumption.
Qed.

Lemma RMS_nonneg n x : 0 <= RMS n x.
Proof. apply sqrt_pos. Qed.

Lemma RMS_ext n x y : (forall i, (i < n)%nat -> x i = y i) -> RMS n x = RMS n y.
Proof.
  intros Same. unfold RMS, mean_square. do 2 f_equal. apply sum_ext. intros. rewrite Same; auto.
Qed.

Lemma RMS_scaled n c x : (0 < n)%nat -> RMS n (fun i => c * x i) = Rabs c * RMS n x.
Proof.
  intros Some. unfold RMS. rewrite <- (sqrt_Rsqr_abs c).
  rewrite <- sqrt_mult by auto using Rle_0_sqr, mean_square_nonneg. f_equal.
  unfold mean_square. rewrite (sum_ext n _ (fun i => c ^ 2 * x i ^ 2)) by (intros; ring).
  rewrite sum_scal. unfold Rsqr, Rdiv. ring.
Qed.

Theorem clip_rms (n : nat) (u : nat -> R) d :
  (0 < n)%nat -> 0 < d ->
  let r := RMS n u in RMS n (fun i => u i / Rmax 1 (r / d)) = Rmin r d.
Proof.
  intros Some D r. pose proof (RMS_nonneg n u) as Positive. fold r in Positive.
  assert (Divisor : 0 < Rmax 1 (r / d)) by (pose proof (Rmax_l 1 (r / d)); lra).
  rewrite (RMS_ext n _ (fun i => / Rmax 1 (r / d) * u i)) by (intros; unfold Rdiv; ring).
  rewrite RMS_scaled, Rabs_pos_eq by (auto; left; apply Rinv_0_lt_compat; assumption).
  fold r. clearbody r. assert (Quotient : r / d * d = r) by (field; lra).
  destruct (Rle_dec d r) as [Large|Small].
  - rewrite Rmin_right by assumption. rewrite Rmax_right by nra. field. nra.
  - rewrite Rmin_left, Rmax_left by nra. field.
Qed.
