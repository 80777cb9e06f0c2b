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

(* What a step adds to a statistic: the sum of squares of l entries, and of as many epsilon_1. *)
Lemma new_gives (epsilon_1 size : double) (g : nat -> double) t l D :
  finite epsilon_1 /\ two (-200) <= real epsilon_1 <= two 200 -> (forall i, finite (g i)) ->
  sum l (fun i => real (g i) ^ 2) <= two 400 ->
  Permutation (leaves t) (seq 0 l) -> (depth t <= D)%nat ->
  finite size -> real size = INR l -> 1 <= INR l <= two 44 -> few (S (1 + D)) ->
  gives (S (1 + D)) (INR l * least) 401 (added (fun i => g i * g i) t + size * epsilon_1)%D
    (sum l (fun i => real (g i) ^ 2 + real epsilon_1)) /\
  two (-200) <= sum l (fun i => real (g i) ^ 2 + real epsilon_1) /\
  INR l * least <= two (-1000).
Proof.
  intros (F1 & E1) F B P Dp Fs Vs Ls K. pose proof least_nonneg. pose proof (two_pos (-200)).
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
    - apply (few_less _ _ K). lia.
    - apply (within_product 0 44 (-200) 200); split; rewrite ?two_0; lra. }
  pose proof Sizes as (_ & _ & Range).
  rewrite sum_plus, sum_const, <- (total_range (fun i => real (g i) ^ 2)) in *.
  assert (Squares : forall i, 0 <= real (g i) ^ 2) by (intros; apply square_nonneg).
  assert (0 <= total (fun i => real (g i) ^ 2) (seq 0 l)) by (apply total_nonneg; auto).
  split; [|split; lra]. replace (INR l * least) with (INR l * least + 0) by ring.
  apply sum_gives; bounds.
  - apply gives_le with (1 + D)%nat (INR l * least) 400%Z; bounds.
    rewrite <- (seq_length l 0) at 1.
    apply sum_along; auto; bounds; rewrite ?seq_length; try lra.
    + intros i I. replace (real (g i) ^ 2) with (real (g i) * real (g i)) by ring.
      apply square_gives; auto; [|lia].
      replace (real (g i) * real (g i)) with (real (g i) ^ 2) by ring.
      apply Rle_trans with (2 := B). apply (total_one (fun i => real (g i) ^ 2)); auto.
    + apply (few_less _ _ K). lia.
  - apply gives_le with 1%nat 0 244%Z; bounds. apply gives_of_sure with (-200)%Z. auto.
  - apply (few_less _ _ K). lia.
Qed.

(* The same of a vector, whose V_i takes one square. *)
Lemma new_of_entry_gives (epsilon_1 g : double) :
  finite epsilon_1 /\ two (-200) <= real epsilon_1 <= two 200 -> finite g ->
  real g ^ 2 <= two 400 -> few 2 ->
  gives 2 least 401 (g * g + epsilon_1)%D (real g ^ 2 + real epsilon_1) /\
  two (-200) <= real g ^ 2 + real epsilon_1 /\ least <= two (-1000).
Proof.
  intros (F1 & E1) F B K. pose proof least_nonneg. pose proof (two_pos (-200)).
  pose proof (square_nonneg (real g)).
  assert (L : least <= two (-1000)) by (apply two_le; lia).
  assert (L1 : two (-1000) <= 1) by (rewrite <- two_0; apply two_le; lia).
  assert (T : two 400 + two 200 <= two 401). {
    replace 401%Z with (400 + 1)%Z by lia. rewrite <- doubled.
    assert (two 200 <= two 400) by (apply two_le; lia). lra. }
  replace (real g ^ 2) with (real g * real g) in * by ring.
  split; [|split; lra]. replace least with (least + 0) by ring. apply sum_gives; bounds.
  - apply gives_le with 1%nat least 400%Z; bounds. apply square_gives; auto. lia.
  - apply gives_le with 0%nat 0 200%Z; bounds. apply gives_given; auto. lra.
  - apply (few_less _ _ K). lia.
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
  intros Old F B P Dp Fs Vs Ls EK K'.
  destruct beta_below_1 as (B1 & B2), w_below_1 as (B3 & B4).
  destruct (new_gives epsilon_1 size g t l D) as (N & L & A); auto.
  { apply (few_less _ _ K'). lia. }
  apply moving_sure with (k0 := k_old) (k := S (1 + D)) (kb := k_beta) (kw := k_omega)
    (a := INR l * least);
    [exact Old | exact N | exact finite_beta | exact near_beta | exact B1 | exact B2
    | exact finite_w | exact near_w | exact B3 | exact B4 | exact omega_bounded | exact L
    | exact A | lia | lia
    | exact K'].
Qed.
End Statistic.
