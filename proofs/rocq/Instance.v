(* The hypotheses about a step can hold all at once: for the numbers 1 they do, at t = 1. *)
From Flocq Require Import Core BinarySingleNaN.
Require Import Reals Lra Lia List Permutation.
Require Import Sums Trees Near Binary64 Mean Step VectorStep MatrixStep.
Open Scope R_scope.

Definition one : double := Bone.
Definition zero : double := B754_zero false.

Lemma one_is : real one = 1.
Proof. apply Bone_correct. Qed.

Lemma above_1 h : (0 <= h)%Z -> 1 <= two h.
Proof. intros H. rewrite <- two_0. apply two_le, H. Qed.

Lemma below_1 l : (l <= 0)%Z -> two l <= 1.
Proof. intros H. rewrite <- two_0. apply two_le, H. Qed.

Lemma one_given l h : (l <= 0 <= h)%Z -> sure 0 l h one 1.
Proof.
  intros H. rewrite <- one_is. apply sure_given; [reflexivity|]. rewrite one_is.
  split; [apply below_1 | apply above_1]; lia.
Qed.

Lemma zero_given : gives 0 0 406 zero 0.
Proof.
  apply (gives_given zero); [reflexivity|]. simpl (real zero). pose proof (two_pos 406). lra.
Qed.

Lemma few_hundred k : Nat.leb k 100 = true -> INR k * u <= / 4.
Proof.
  intros H. apply Nat.leb_le, le_INR in H. pose proof unit_small.
  apply Rle_trans with (INR 100 * u); [apply Rmult_le_compat_r; lra|].
  apply Rle_trans with (two 7 * u).
  - apply Rmult_le_compat_r; [lra|]. rewrite INR_IZR_INZ. simpl. lra.
  - unfold u. rewrite <- bpow_plus. replace (/ 4) with (two (-2)) by (simpl; lra).
    apply two_le. lia.
Qed.

Lemma size_of_one e1 : two (-247) <= Rmax (real one) e1.
Proof.
  apply Rle_trans with (real one); [|apply Rmax_l]. rewrite one_is. apply below_1. lia.
Qed.

(* One entry: X, G, d, rho, both epsilon, and the weight of the newest are 1, the rest is 0. *)

Ltac within_bounds :=
  try (apply one_given; lia); rewrite ?one_is; simpl sum; simpl (real zero); simpl INR;
    repeat split;
  try reflexivity; try (apply zero_given || (apply near_refl; lra)); try lra;
  rewrite ?Rmult_1_l, ?Rplus_0_l;
  try (apply above_1; lia); try (apply below_1; lia).

Theorem vector_instance :
  let ones i := one in
  finite (VectorStep.step_fl ones ones (fun _ => zero) zero one one one one one one
    (leaf 0%nat) (leaf 0%nat) 0).
Proof.
  intros ones.
  apply (vector_step 1 ones ones (fun _ => zero) zero one one one one one one (fun _ => 0) 0 1 1
    0 0 0 0 (leaf 0%nat) (leaf 0%nat) 0 0); unfold ones;
    auto using zero_given, one_given, size_of_one, few_hundred; within_bounds.
Qed.

Theorem matrix_instance :
  let ones i j := one in
  let single i := leaf 0%nat in
  finite (MatrixStep.step_fl ones ones (fun _ => zero) (fun _ => zero) zero one one one one one
    one one one single single single (leaf 0%nat) (leaf 0%nat) (leaf (0, 0)%nat) 0 0).
Proof.
  intros ones single.
  apply (matrix_step 1 1 ones ones (fun _ => zero) (fun _ => zero) zero one one one one one
    one one one (fun _ => 0) (fun _ => 0) 0 1 1 0 0 0 0
    single single single (leaf 0%nat) (leaf 0%nat) (leaf (0, 0)%nat) 0 0 0 0 0 0);
    unfold ones, single;
    auto using zero_given, one_given, size_of_one, few_hundred; within_bounds.
Qed.
