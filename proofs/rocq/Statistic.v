(* A statistic of a matrix, a row's or a column's: a moving average of the sum of squares of l
   entries, and of as many epsilon_1. *)
From Flocq Require Import Core BinarySingleNaN.
Require Import Reals Lra Lia Psatz List Permutation.
Require Import Sums Trees Near Binary64 Mean.
Open Scope R_scope.


Lemma square_nonneg x : 0 <= x ^ 2.
Proof. apply pow2_ge_0. Qed.

Lemma factor_bounded a b :
  (0 < a)%nat -> (0 < b)%nat -> INR a * INR b <= two 44 -> 1 <= INR a <= two 44.
Proof.
  intros A B H. apply le_INR in A, B. simpl in A, B. split; auto.
  apply Rle_trans with (2 := H). nra.
Qed.

Lemma row_below n m (f : nat -> nat -> R) b i :
  sum n (fun i => sum m (fun j => f i j ^ 2)) <= b -> (i < n)%nat ->
  sum m (fun j => f i j ^ 2) <= b.
Proof.
  intros B H. apply Rle_trans with (2 := B).
  apply (sum_one n (fun i => sum m (fun j => f i j ^ 2))); auto.
  intros. apply sum_nonneg. intros. apply square_nonneg.
Qed.

Lemma column_below n m (f : nat -> nat -> R) b j :
  sum n (fun i => sum m (fun j => f i j ^ 2)) <= b -> (j < m)%nat ->
  sum n (fun i => f i j ^ 2) <= b.
Proof. rewrite sum_swap. apply (row_below m n (fun j i => f i j)). Qed.

Lemma entry_below n m (f : nat -> nat -> R) b i j :
  sum n (fun i => sum m (fun j => f i j ^ 2)) <= b -> (i < n)%nat -> (j < m)%nat ->
  f i j * f i j <= b.
Proof.
  intros B H J. apply Rle_trans with (2 := row_below n m f b i B H).
  replace (f i j * f i j) with (f i j ^ 2) by ring.
  apply (sum_one m (fun j => f i j ^ 2)); auto. intros. apply square_nonneg.
Qed.

Section Statistic.
Variables (beta_2 w epsilon_1 : double) (beta omega : R) (k_old k_beta k_omega : nat).
Hypothesis finite_beta : finite beta_2.
Hypothesis near_beta : near k_beta 0 (real beta_2) beta.
Hypothesis beta_below_1 : real beta_2 <= 1 /\ beta <= 1.
Hypothesis finite_w : finite w.
Hypothesis near_w : near k_omega 0 (real w) omega.
Hypothesis w_below_1 : real w <= 1 /\ omega <= 1.
Hypothesis omega_bounded : two (-53) <= omega.
Hypothesis epsilon_1_given : finite epsilon_1 /\ two (-200) <= real epsilon_1 <= two 200.

Lemma statistic_sure (old : double) (o : R) (g : nat -> double) t l D (size : double) K :
  gives k_old 0 406 old o -> (forall i, finite (g i)) ->
  sum l (fun i => real (g i) ^ 2) <= two 400 ->
  Permutation (leaves t) (seq 0 l) -> (depth t <= D)%nat ->
  finite size -> real size = INR l -> 1 <= INR l <= two 44 ->
  K = Nat.max (S (S (k_beta + k_old))) (S (S (k_omega + S (1 + D)))) -> few K ->
  sure (S K) (-254) 407
    (beta_2 * old + w * (added (fun i => g i * g i) t + size * epsilon_1))%D
    (beta * o + omega * sum l (fun i => real (g i) ^ 2 + real epsilon_1)).
Proof.
  intros Old F B P Dp Fs Vs Ls EK K'. destruct epsilon_1_given as (F1 & E1).
  destruct beta_below_1 as (B1 & B2), w_below_1 as (B3 & B4).
  pose proof least_nonneg. pose proof (two_pos (-200)).
  assert (Lost : INR l * least <= two (-1001)). {
    apply Rle_trans with (two 44 * least); [apply Rmult_le_compat_r; lra|].
    unfold least. rewrite <- bpow_plus. apply two_le. lia. }
  assert (Zero : 0 <= INR l * least) by (apply Rmult_le_pos; lra).
  assert (L : two (-1001) <= two (-1000)) by (apply two_le; lia).
  assert (L1 : two (-1000) <= 1) by (rewrite <- two_0; apply two_le; lia).
  assert (T : two 400 + two 244 <= two 401). {
    replace 401%Z with (400 + 1)%Z by lia. rewrite <- doubled.
    assert (two 244 <= two 400) by (apply two_le; lia). lra. }
  assert (Sizes : sure 1 (-200) 244 (size * epsilon_1)%D (INR l * real epsilon_1)). {
    apply (product_sure 0 0 0 44 (-200) 200); bounds.
    - rewrite <- Vs. apply sure_given; auto. rewrite Vs, two_0. auto.
    - apply sure_given; auto.
    - apply (few_less _ _ K'). lia.
    - apply (within_product 0 44 (-200) 200); split; rewrite ?two_0; lra. }
  assert (Sums : sum l (fun i => real (g i) ^ 2 + real epsilon_1) =
    total (fun i => real (g i) * real (g i)) (seq 0 l) + INR l * real epsilon_1). {
    rewrite sum_plus, sum_const, total_range. f_equal. apply sum_ext. intros. ring. }
  assert (B' : total (fun i => real (g i) * real (g i)) (seq 0 l) <= two 400). {
    rewrite total_range. apply Rle_trans with (2 := B). right. apply sum_ext. intros. ring. }
  rewrite Sums.
  apply moving_sure with (k0 := k_old) (k := S (1 + D)) (kb := k_beta) (kw := k_omega)
    (a := INR l * least + 0);
    [exact Old | | exact finite_beta | exact near_beta | exact B1 | exact B2 | exact finite_w
    | exact near_w | exact B3 | exact B4 | exact omega_bounded | | lra | lia | lia | exact K'].
  - apply sum_gives; bounds.
    + apply gives_le with (1 + D)%nat (INR l * least) 400%Z; bounds.
      rewrite <- (seq_length l 0) at 1.
      apply sum_along; auto; bounds; rewrite ?seq_length; try lra.
      * intros i I. apply square_gives; auto; [|lia].
        apply Rle_trans with (2 := B').
        apply (total_one (fun i => real (g i) * real (g i))); auto.
        intros b. pose proof (Rle_0_sqr (real (g b))). unfold Rsqr in *. lra.
      * apply (few_less _ _ K'). lia.
    + apply gives_le with 1%nat 0 244%Z; bounds. apply gives_of_sure with (-200)%Z. auto.
    + apply (few_less _ _ K'). lia.
    + destruct Sizes as (_ & _ & Sizes). lra.
  - destruct Sizes as (_ & _ & Sizes).
    assert (0 <= total (fun i => real (g i) * real (g i)) (seq 0 l)). {
      apply total_nonneg. intros. pose proof (Rle_0_sqr (real (g a))). unfold Rsqr in *. lra. }
    lra.
Qed.
End Statistic.
