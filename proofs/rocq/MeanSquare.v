(* The mean square of U as the loops over a matrix have it, from R, C and S_R that are sure:
   sum_ij U_ij^2 = sum_j (S_R / C_j) sum_i G_ij^2 / R_i. *)
From Flocq Require Import Core BinarySingleNaN.
Require Import Reals Lra Lia Psatz List Permutation.
Require Import Sums Trees Near Binary64 Mean.
Open Scope R_scope.


Lemma one_sure : sure 0 0 0 Bone 1.
Proof.
  assert (V : real (Bone : double) = 1) by apply Bone_correct.
  rewrite <- V. apply sure_given; auto. rewrite V, two_0. lra.
Qed.

Section MeanSquare.
Variables n m : nat.
Variable G : nat -> nat -> double.
Variables (R_fl C_fl : nat -> double) (S_fl entries : double) (R_ C_ : nat -> R) (S_R : R).
Variables R_K C_K S_K D_ratio D_U : nat.
Variables (tree_ratio : nat -> tree nat) (tree_U : tree nat).

Definition ratio_fl j := added (fun i => G i j * G i j * (Bone / R_fl i))%D (tree_ratio j).
Definition msU_fl := (added (fun j => ratio_fl j * (S_fl / C_fl j)) tree_U / entries)%D.
Definition ratio_K := (S (1 + S R_K) + D_ratio)%nat.
Definition msU_K := S (S (ratio_K + S (S_K + C_K)) + D_U).

Hypothesis n_bounded : 1 <= INR n <= two 44.
Hypothesis m_bounded : 1 <= INR m <= two 44.
Hypothesis not_too_many : INR n * INR m <= two 44.
Hypothesis entries_are : real entries = INR n * INR m.
Hypothesis every_ratio : forall j,
  Permutation (leaves (tree_ratio j)) (seq 0 n) /\ (depth (tree_ratio j) <= D_ratio)%nat.
Hypothesis every_U : Permutation (leaves tree_U) (seq 0 m) /\ (depth tree_U <= D_U)%nat.
Hypothesis finite_G : forall i j, finite (G i j).
Hypothesis G_bounded : forall i j, (i < n)%nat -> (j < m)%nat ->
  real (G i j) * real (G i j) <= two 400.
Hypothesis R_sure : forall i, (i < n)%nat -> sure R_K (-254) 407 (R_fl i) (R_ i).
Hypothesis C_sure : forall j, (j < m)%nat -> sure C_K (-254) 407 (C_fl j) (C_ j).
Hypothesis S_sure : sure S_K (-254) 451 S_fl S_R.
Hypothesis share_of_R : forall i j, (i < n)%nat -> (j < m)%nat ->
  real (G i j) * real (G i j) * (1 / R_ i) <= two 53.
Hypothesis few_K : few (S msU_K).

Lemma enough k : (k <= S msU_K)%nat -> few k.
Proof. apply few_less, few_K. Qed.

Lemma positive_R i : (i < n)%nat -> 0 < R_ i.
Proof. intros H. apply (sure_positive _ _ _ _ _ (R_sure i H)). Qed.

Lemma positive_C j : (j < m)%nat -> 0 < C_ j.
Proof. intros H. apply (sure_positive _ _ _ _ _ (C_sure j H)). Qed.

Lemma positive_S : 0 < S_R.
Proof. apply (sure_positive _ _ _ _ _ S_sure). Qed.

Lemma inverse_sure i : (i < n)%nat -> sure (S R_K) (-407) 254 (Bone / R_fl i)%D (1 / R_ i).
Proof.
  intros H. pose proof (R_sure i H) as A.
  apply (quotient_sure 0 _ 0 0 (-254) 407); auto using one_sure; bounds.
  - apply enough. unfold msU_K, ratio_K. lia.
  - apply (within_quotient 0 0 (-254) 407); [split; rewrite two_0; lra | apply A].
Qed.

Definition ratio j := sum n (fun i => real (G i j) * real (G i j) * (1 / R_ i)).

Lemma ratio_bounded j : (j < m)%nat -> 0 <= ratio j <= INR n * two 53.
Proof.
  intros J. split.
  - apply sum_nonneg. intros i I. apply Rmult_le_pos; [apply Rle_0_sqr|].
    pose proof (positive_R i I). left. apply Rdiv_lt_0_compat; lra.
  - unfold ratio. rewrite <- sum_const. apply sum_le. intros i I. apply share_of_R; auto.
Qed.

Lemma ratio_gives j : (j < m)%nat ->
  gives ratio_K (INR n * two (-819)) 97 (ratio_fl j) (ratio j).
Proof.
  intros J. pose proof least_nonneg. pose proof n_bounded as N.
  destruct (every_ratio j) as (P & Dp).
  assert (Small : least <= two (-820)) by (apply two_le; lia).
  assert (Lost : least * two 255 = two (-820)) by (unfold least; rewrite <- bpow_plus; reflexivity).
  assert (Slack : 2 * two (-820) = two (-819)) by apply doubled.
  assert (Fit : INR n * two (-819) <= / 2). {
    apply Rle_trans with (two 44 * two (-819)); [apply Rmult_le_compat_r; [apply bpow_ge_0|lra]|].
    rewrite <- bpow_plus. rewrite half_two_0. apply two_le. lia. }
  pose proof (two_pos (-819)).
  assert (One : two (-819) <= 1) by (rewrite <- two_0; apply two_le; lia).
  unfold ratio. rewrite <- total_range. rewrite <- (seq_length n 0) at 1. unfold ratio_K.
  apply sum_along; auto; bounds; rewrite ?seq_length; try lra.
  - intros i I. apply in_seq in I. assert (Hi : (i < n)%nat) by lia.
    pose proof (inverse_sure i Hi) as (Fi & Ni & (Li & Ui)).
    apply gives_le with (S (1 + S R_K)) (least * two 255 + least) 97%Z; bounds.
    apply product_gives with 400%Z; auto; bounds.
    + apply square_gives; auto. lia.
    + apply (sure_within _ _ _ _ _ (inverse_sure i Hi)). apply enough. unfold msU_K, ratio_K. lia.
    + apply Rle_trans with (1 := Ui). apply two_le. lia.
    + apply enough. unfold msU_K, ratio_K. lia.
    + apply Rle_trans with (1 := share_of_R i j Hi J). apply two_le. lia.
  - apply enough. unfold msU_K, ratio_K. lia.
  - rewrite total_range. fold (ratio j). apply Rle_trans with (1 := proj2 (ratio_bounded j J)).
    replace 97%Z with (44 + 53)%Z by lia. rewrite bpow_plus.
    apply Rmult_le_compat_r; [apply bpow_ge_0 | lra].
Qed.

Theorem mean_square_gives : gives msU_K (two (-111)) 845 msU_fl
  (sum m (fun j => ratio j * (S_R / C_ j)) / (INR n * INR m)).
Proof.
  pose proof least_nonneg. pose proof n_bounded as N.
  pose proof m_bounded as M.
  destruct every_U as (P & Dp).
  pose proof (two_pos (-113)) as T0. pose proof (two_pos (-819)).
  assert (Small : least <= two (-114)) by (apply two_le; lia).
  assert (T1 : two (-819) * two 706 = two (-113)) by (rewrite <- bpow_plus; reflexivity).
  assert (T2 : 2 * two (-114) = two (-113)) by apply doubled.
  assert (T3 : 2 * two (-113) = two (-112)) by apply doubled.
  assert (T4 : 2 * two (-112) = two (-111)) by apply doubled.
  assert (T5 : two (-111) <= 1) by (rewrite <- two_0; apply two_le; lia).
  assert (Q1 : 1 <= INR n * INR m) by nra.
  assert (Q2 : INR n * INR m * two (-112) <= / 2). {
    apply Rle_trans with (two 44 * two (-112)); [apply Rmult_le_compat_r; lra|].
    rewrite <- bpow_plus. rewrite half_two_0. apply two_le. lia. }
  assert (Q3 : INR n * two (-113) + least <= INR n * two (-112)) by nra.
  assert (Q4 : INR n * two (-112) <= 1). {
    apply Rle_trans with (two 44 * two (-112)); [apply Rmult_le_compat_r; lra|].
    rewrite <- bpow_plus, <- two_0. apply two_le. lia. }
  assert (Each : forall j, (j < m)%nat -> ratio j * (S_R / C_ j) <= INR n * two 758). {
    intros j J. replace 758%Z with (53 + 705)%Z by lia. rewrite bpow_plus, <- Rmult_assoc.
    pose proof (ratio_bounded j J). pose proof positive_S. pose proof (positive_C j J).
    apply Rmult_le_compat; try lra; [left; apply Rdiv_lt_0_compat; auto|].
    apply (within_quotient (-254) 451 (-254) 407); [apply S_sure | apply (C_sure j J)]. }
  rewrite <- total_range.
  apply gives_le with msU_K (two (-112) + least) 845%Z; bounds.
  unfold msU_K, msU_fl.
  apply mean_along with (l := seq 0 m) (a := INR n * two (-112)); auto; bounds.
  - intros j J0. apply in_seq in J0. assert (J : (j < m)%nat) by lia.
    pose proof (C_sure j J) as SC. pose proof S_sure as SS.
    assert (SQ : sure (S (S_K + C_K)) (-661) 705 (S_fl / C_fl j)%D (S_R / C_ j)). {
      apply quotient_sure with (-254)%Z 451%Z (-254)%Z 407%Z; auto; bounds.
      - apply enough. unfold msU_K, ratio_K. lia.
      - destruct SC as (_ & _ & SC), SS as (_ & _ & SS).
        apply (within_quotient (-254) 451 (-254) 407); auto. }
    pose proof SQ as (Fq & Nq & (Lq & Uq)).
    apply gives_le with (S (ratio_K + S (S_K + C_K))) (INR n * two (-819) * two 706 + least) 845%Z;
      bounds.
    + apply product_gives with 97%Z;
        [apply ratio_gives; exact J | exact Fq | exact Nq | | | | | | lia].
      * apply (sure_within _ _ _ _ _ SQ). apply enough. unfold msU_K, ratio_K. lia.
      * apply Rle_trans with (1 := Uq). apply two_le. lia.
      * apply enough. unfold msU_K, ratio_K. lia.
      * rewrite Rmult_assoc, T1. lra.
      * apply Rle_trans with (1 := Each j J). replace 845%Z with (44 + 801)%Z by lia.
        rewrite bpow_plus.
        apply Rmult_le_compat; try lra; try apply bpow_ge_0. apply two_le. lia.
    + rewrite Rmult_assoc, T1. lra.
  - apply Rmult_le_pos; lra.
  - rewrite seq_length. right. ring.
  - apply enough. unfold msU_K, ratio_K. lia.
  - rewrite total_range. apply Rle_trans with (sum m (fun _ => INR n * two 758)).
    + apply sum_le. auto.
    + rewrite sum_const. apply Rle_trans with (two 44 * two 758).
      * replace (INR m * (INR n * two 758)) with (INR n * INR m * two 758) by ring.
        apply Rmult_le_compat_r; [apply bpow_ge_0 | auto].
      * rewrite <- bpow_plus. apply two_le. lia.
Qed.
End MeanSquare.
