(* What a statistic is made of: sums along trees, means and moving averages of doubles. *)
From Flocq Require Import Core BinarySingleNaN.
Require Import Reals Lra Lia Psatz List Permutation.
Require Import Sums Trees Near Binary64.
Open Scope R_scope.

(* The bounds of natural numbers, of exponents and of reals that follow from those at hand. *)
Ltac bounds := try match goal with
  | |- (_ <= _)%nat => lia
  | |- (_ <= _)%Z => lia
  | |- (_ <= _ <= _)%Z => lia
  | |- _ <= _ => lra
  | |- _ <= _ <= _ => lra
  end.

Lemma two_0 : two 0 = 1.
Proof. reflexivity. Qed.

Lemma half_two_0 : / 2 = two (-1).
Proof. simpl. lra. Qed.

Lemma two_le a b : (a <= b)%Z -> two a <= two b.
Proof. apply bpow_le. Qed.

Lemma two_pos e : 0 < two e.
Proof. apply bpow_gt_0. Qed.

Lemma few_less k l : few l -> (k <= l)%nat -> few k.
Proof. apply (few_le u unit_small). Qed.

Lemma square_gives (X : double) h :
  finite X -> real X * real X <= two h -> (h <= 1000)%Z ->
    gives 1 least h (X * X)%D (real X * real X).
Proof.
  intros F B H. pose proof (Rle_0_sqr (real X)) as P. unfold Rsqr in P.
  assert (two h <= two 1023) by (apply two_le; lia). pose proof least_nonneg.
  destruct (product_of X X) as (G & V); auto; [rewrite Rabs_pos_eq; lra|].
  assert (least <= 1) by (rewrite <- two_0; apply two_le; lia).
  refine (conj G (conj _ (conj _ B))); auto. rewrite V.
  replace least with (0 + least) by ring.
  apply (near_rounded u unit_small) with (real X * real X); auto;
    try (apply rnd_nonneg; lra); try (apply rnd_loses; lra). apply near_refl. lra.
Qed.

Lemma mean_gives k a h (S N : double) s p :
  gives k a h S s -> real N = p -> 1 <= p -> few k -> a / p + least <= 1 -> (0 <= h <= 1000)%Z ->
  gives (Datatypes.S k) (a / p + least) h (S / N)%D (s / p).
Proof.
  intros (F & M & A & B) V P K L H. pose proof least_nonneg.
  assert (I : 0 < / p) by (apply Rinv_0_lt_compat; lra).
  assert (J : / p <= 1) by (rewrite <- Rinv_1; apply Rinv_le_contravar; lra).
  assert (Q : near (k + 0) (a * / p) (real S * / p) (s * / p)). {
    apply near_mul; auto using unit_small; try lra. apply near_refl. lra. }
  rewrite Nat.add_0_r in Q. pose proof (proj1 Q). pose proof (proj1 (proj2 Q)).
  assert (C : s * / p <= two h). { destruct M as (_ & _ & Y & _). nra. }
  destruct (quotient_of S N) as (G & W); auto; [lra| |].
  - rewrite V. unfold Rdiv. rewrite Rabs_pos_eq by auto. apply Rle_trans with (2 * (2 * two h)).
    + apply (near_below u) with k (a * / p) (s * / p); auto.
      destruct H as (H & _). apply two_le in H. rewrite two_0 in H. unfold Rdiv in L. lra.
    + rewrite !doubled. apply two_le. lia.
  - refine (conj G (conj _ (conj L C))). rewrite W, V. unfold Rdiv.
    apply (near_rounded u unit_small) with (real S * / p); auto; try (apply rnd_nonneg; lra);
      apply rnd_loses; lra.
Qed.

Lemma weighted_gives k l a h (W X : double) w x :
  finite W -> near k 0 (real W) w -> real W <= 1 -> w <= 1 -> gives l a h X x -> few (k + l) ->
  a + least <= 1 -> (0 <= h <= 1000)%Z -> gives (S (k + l)) (a + least) h (W * X)%D (w * x).
Proof.
  intros FW NW BW Bw (F & N & _ & B) K A H. pose proof least_nonneg.
  pose proof (near_mul u unit_small _ _ _ _ _ _ _ _ N NW BW Bw) as M.
  rewrite Rmult_1_r, Nat.add_comm, (Rmult_comm (real X)), (Rmult_comm x) in M.
  assert (0 <= w) by apply NW. assert (0 <= x) by apply N.
  assert (C : w * x <= two h) by nra. pose proof (proj1 (proj2 M)).
  destruct (product_of W X) as (G & V); auto.
  - rewrite Rabs_pos_eq by auto. apply Rle_trans with (2 * (2 * two h)).
    + apply (near_below u) with (k + l)%nat a (w * x); auto.
      destruct H as (H & _). apply two_le in H. rewrite two_0 in H. lra.
    + rewrite !doubled. apply two_le. lia.
  - refine (conj G (conj _ (conj A C))). rewrite V.
    apply (near_rounded u unit_small) with (real W * real X); auto;
      try (apply rnd_nonneg; lra); apply rnd_loses; lra.
Qed.

Lemma sure_absorbed k a l h X x :
  gives k a h X x -> few k -> two l <= x -> 2 * a <= u * two l -> sure (S k) l h X x.
Proof.
  intros (F & N & _ & B) K L A. refine (conj F (conj _ (conj L B))).
  pose proof unit_small. assert (P : 0 <= real X) by apply N. assert (Q : 0 <= x) by apply N.
  rewrite <- (Rmax_right 0 (real X)), <- (Rmax_right 0 x) by auto.
  apply (near_absorbed u unit_small) with a; auto; try lra.
  rewrite Rmax_right by auto. nra.
Qed.

(* A moving average of old, near what it stands for by k0 roundings, and new. *)
Lemma moving_sure k0 k kb kw a l (b w old new : double) beta omega r s :
  gives k0 0 406 old r -> gives k a 401 new s ->
  finite b -> near kb 0 (real b) beta -> real b <= 1 -> beta <= 1 ->
  finite w -> near kw 0 (real w) omega -> real w <= 1 -> omega <= 1 ->
  two (-53) <= omega -> two (-200) <= s -> a <= two (-1000) ->
  (S (S (kb + k0)) <= l)%nat -> (S (S (kw + k)) <= l)%nat -> few l ->
  sure (S l) (-254) 407 (b * old + w * new)%D (beta * r + omega * s).
Proof.
  intros O Nw Fb Nb Bb Bb' Fw Nwt Bw Bw' Lw Ls La K0 K1 K.
  pose proof least_nonneg. pose proof (proj1 (proj1 (proj2 Nw))) as A0.
  assert (P0 : 0 <= r) by apply (proj1 (proj2 O)).
  assert (Z0 : 0 <= beta) by apply Nb. pose proof (two_pos (-53)). pose proof (two_pos (-200)).
  assert (T : 4 * least <= two (-1000)). {
    replace (4 * least) with (2 * (2 * least)) by ring. unfold least. rewrite !doubled.
    apply two_le. lia. }
  assert (T1 : 4 * two (-1000) <= 1). {
    replace (4 * two (-1000)) with (2 * (2 * two (-1000))) by ring.
    rewrite !doubled, <- two_0. apply two_le. lia. }
  assert (G0 : gives (S (kb + k0)) (0 + least) 406 (b * old)%D (beta * r)).
  { apply weighted_gives; auto; try lra; try lia. apply (few_less _ l); auto. lia. }
  assert (G1 : gives (S (kw + k)) (a + least) 401 (w * new)%D (omega * s)).
  { apply weighted_gives; auto; try lra; try lia. apply (few_less _ l); auto. lia. }
  assert (B : beta * r + omega * s <= two 407). {
    replace 407%Z with (406 + 1)%Z by lia. rewrite <- doubled.
    assert (two 401 <= two 406) by (apply two_le; lia).
    destruct G0 as (_ & _ & _ & G0), G1 as (_ & _ & _ & G1). lra. }
  apply sure_absorbed with (a := (0 + least) + (a + least)).
  - destruct l as [|l]; [lia|]. apply sum_gives; try lra; try lia.
    + apply gives_le with (S (kb + k0)) (0 + least) 406%Z; auto; try lia; lra.
    + apply gives_le with (S (kw + k)) (a + least) 401%Z; auto; try lia; lra.
    + apply (few_less _ (S l)); auto.
  - auto.
  - assert (two (-53) * two (-200) <= omega * s) by (apply Rmult_le_compat; lra).
    rewrite <- bpow_plus in H2. assert (two (-254) <= two (-53 + -200)) by (apply two_le; lia).
    nra.
  - apply Rle_trans with (two (-990)).
    + replace (-990)%Z with (-1000 + 10)%Z by lia. rewrite bpow_plus. simpl (two 10). lra.
    + unfold u. rewrite <- bpow_plus. apply two_le. lia.
Qed.

Lemma quotient_gives k l a lo hi h (X Y : double) x y :
  gives k a h X x -> sure l lo hi Y y -> few (k + l) -> a * two (1 - lo) + least <= 1 ->
  x / y <= two h -> (0 <= h <= 1000)%Z ->
  gives (S (k + l)) (a * two (1 - lo) + least) h (X / Y)%D (x / y).
Proof.
  intros (F & N & _ & _) SY K A B H. pose proof least_nonneg.
  destruct (sure_positive _ _ _ _ _ SY) as (P & Q).
  assert (W : two (lo - 1) <= real Y <= two (hi + 1)). {
    apply sure_within with l y; auto. apply (few_less _ _ K). lia. }
  destruct SY as (_ & NY & (L & _)).
  assert (I : forall z, two (lo - 1) <= z -> / z <= two (1 - lo)). {
    intros z Hz. replace (1 - lo)%Z with (- (lo - 1))%Z by lia. rewrite bpow_opp.
    apply Rinv_le_contravar; auto. apply two_pos. }
  assert (M : near (k + l) (a * two (1 - lo)) (real X / real Y) (x / y)). {
    unfold Rdiv. apply (near_mul u unit_small); auto; try (apply I; try tauto).
    - apply (near_inverse u unit_small); auto.
    - apply Rle_trans with (2 := L). apply two_le. lia. }
  pose proof (proj1 (proj2 M)).
  destruct (quotient_of X Y) as (G & V); auto; try lra.
  - rewrite Rabs_pos_eq by auto. apply Rle_trans with (2 * (2 * two h)).
    + apply (near_below u) with (k + l)%nat (a * two (1 - lo)) (x / y); auto.
      destruct H as (H & _). apply two_le in H. rewrite two_0 in H. lra.
    + rewrite !doubled. apply two_le. lia.
  - refine (conj G (conj _ (conj A B))). rewrite V.
    apply (near_rounded u unit_small) with (real X / real Y); auto;
      try (apply rnd_nonneg; lra); apply rnd_loses; lra.
Qed.

(* A sum of so many terms along a tree no deeper than D: each term may lose a. *)
Theorem sum_along {T} k a h (f : T -> double) (g : T -> R) t l D :
  Permutation (leaves t) l -> (depth t <= D)%nat -> (forall x, In x l -> gives k a h (f x) (g x)) ->
  0 <= a -> INR (length l) * a <= 1 -> few (k + D) -> total g l <= two h -> (0 <= h <= 1000)%Z ->
  gives (k + D) (INR (length l) * a) h (added f t) (total g l).
Proof.
  intros P L H A B K Q E. pose proof (pos_INR (length l)).
  rewrite <- (total_permuted g _ _ P), <- (Permutation_length P) in *.
  apply gives_le with (k + depth t)%nat (INR (length (leaves t)) * a) h; try lia; [|nra].
  apply added_gives; auto.
  - intros x I. apply H. apply Permutation_in with (1 := P). auto.
  - apply (few_less _ _ K). lia.
Qed.

(* The same divided by p. *)
Lemma mean_along {T} k a b h (f : T -> double) (g : T -> R) t l D (N : double) p :
  Permutation (leaves t) l -> (depth t <= D)%nat -> (forall x, In x l -> gives k a h (f x) (g x)) ->
  0 <= a -> INR (length l) * a <= p * b -> p * b <= / 2 -> real N = p -> 1 <= p ->
  few (k + D) -> total g l <= two h -> (0 <= h <= 1000)%Z ->
  gives (S (k + D)) (b + least) h (added f t / N)%D (total g l / p).
Proof.
  intros P L H A Lp Half V P1 K Q E. pose proof least_nonneg. pose proof (pos_INR (length l)).
  assert (least <= / 4) by (replace (/ 4) with (two (-2)) by (simpl; lra); apply two_le; lia).
  assert (I : 0 < / p) by (apply Rinv_0_lt_compat; lra).
  assert (C : INR (length l) * a / p <= b). {
    apply (Rmult_le_reg_r p); [lra|].
    replace (INR (length l) * a / p * p) with (INR (length l) * a) by (field; lra). lra. }
  assert (b <= / 2) by nra.
  apply gives_le with (S (k + D)) (INR (length l) * a / p + least) h; try lia; try lra.
  apply mean_gives; auto; try lra.
  apply sum_along; auto. lra.
Qed.
