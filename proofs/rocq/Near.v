(* How far apart two nonnegative reals may be that the same calculation gives, once exactly and
   once rounded: `near k a x y` says that x is y up to k roundings of unit u and up to a besides. *)
Require Import Reals Lra Lia Psatz.
Open Scope R_scope.

Section Near.
Variable u : R.
Hypothesis unit_small : 0 < u <= / 8.
Notation v := (1 - u).

Definition near k a x y := 0 <= a /\ 0 <= x /\ 0 <= y /\ y * v ^ k <= x + a /\ x * v ^ k <= y + a.
Definition few k := / 2 <= v ^ k.

Lemma power_pos k : 0 < v ^ k.
Proof. apply pow_lt. lra. Qed.

Lemma power_le_1 k : v ^ k <= 1.
Proof.
  induction k as [|k IH]; simpl; [lra|].
  pose proof (power_pos k). nra.
Qed.

Lemma power_decreasing k l : (k <= l)%nat -> v ^ l <= v ^ k.
Proof.
  intros H. replace l with (k + (l - k))%nat by lia. rewrite pow_add.
  pose proof (power_pos k). pose proof (power_le_1 (l - k)). nra.
Qed.

Lemma few_le k l : few l -> (k <= l)%nat -> few k.
Proof. unfold few. intros F H. pose proof (power_decreasing k l H). lra. Qed.

Lemma bernoulli k : 1 - INR k * u <= v ^ k.
Proof.
  induction k as [|k IH]; [simpl; lra|].
  rewrite S_INR. simpl. pose proof (power_le_1 k). pose proof (power_pos k).
  pose proof (pos_INR k). nra.
Qed.

Lemma near_refl x : 0 <= x -> near 0 0 x x.
Proof. unfold near. simpl. intros. repeat split; lra. Qed.

Lemma near_le k l a b x y : near k a x y -> (k <= l)%nat -> a <= b -> near l b x y.
Proof.
  intros (A & X & Y & L & H) K B. pose proof (power_decreasing k l K). pose proof (power_pos l).
  unfold near. repeat split; nra.
Qed.

Lemma near_below k a x y h : near k a x y -> few k -> y + a <= h -> x <= 2 * h.
Proof. unfold few. intros (A & X & Y & L & H) F B. nra. Qed.

(* What is rounded once more, and loses b below the range of the numbers. *)
Lemma near_rounded k a b x x' y :
  near k a x y -> 0 <= b -> 0 <= x' -> x * v <= x' + b -> x' * v <= x + b ->
  near (S k) (a + b) x' y.
Proof.
  intros (A & X & Y & L & H) B X' L' H'. pose proof (power_pos k). pose proof (power_le_1 k).
  unfold near. simpl. repeat split; try lra.
  - replace (y * (v * v ^ k)) with (y * v ^ k * v) by ring.
    apply Rle_trans with ((x + a) * v); nra.
  - replace (x' * (v * v ^ k)) with (x' * v * v ^ k) by ring.
    apply Rle_trans with ((x + b) * v ^ k); nra.
Qed.

Lemma near_add k a b x y x' y' :
  near k a x y -> near k b x' y' -> near k (a + b) (x + x') (y + y').
Proof. unfold near. intros (?&?&?&?&?) (?&?&?&?&?). repeat split; lra. Qed.

Lemma near_mul k l a h x y x' y' :
  near k a x y -> near l 0 x' y' -> x' <= h -> y' <= h -> near (k + l) (a * h) (x * x') (y * y').
Proof.
  intros (A & X & Y & L & H) (_ & X' & Y' & L' & H') Bx By.
  pose proof (power_pos k). pose proof (power_pos l).
  unfold near. rewrite pow_add. repeat split; try nra.
  - replace (y * y' * (v ^ k * v ^ l)) with (y * v ^ k * (y' * v ^ l)) by ring.
    apply Rle_trans with ((x + a) * x'); [apply Rmult_le_compat; nra | nra].
  - replace (x * x' * (v ^ k * v ^ l)) with (x * v ^ k * (x' * v ^ l)) by ring.
    apply Rle_trans with ((y + a) * y'); [apply Rmult_le_compat; nra | nra].
Qed.

Lemma near_product k l x y x' y' :
  near k 0 x y -> near l 0 x' y' -> near (k + l) 0 (x * x') (y * y').
Proof.
  intros H H'. replace 0 with (0 * Rmax x' y') by ring.
  apply near_mul; auto using Rmax_l, Rmax_r.
Qed.

Lemma near_positive k x y : near k 0 x y -> 0 < y -> 0 < x.
Proof. intros (_ & X & _ & L & _) P. pose proof (power_pos k). nra. Qed.

Lemma near_inverse k x y : near k 0 x y -> 0 < y -> near k 0 (/ x) (/ y).
Proof.
  intros N P. pose proof (near_positive _ _ _ N P) as Q. destruct N as (_ & X & Y & L & H).
  pose proof (Rinv_0_lt_compat x Q). pose proof (Rinv_0_lt_compat y P).
  unfold near. repeat split; try lra.
  - apply (Rmult_le_reg_r (x * y)); [nra|].
    replace (/ y * v ^ k * (x * y)) with (x * v ^ k) by (field; lra).
    replace ((/ x + 0) * (x * y)) with y by (field; lra). lra.
  - apply (Rmult_le_reg_r (x * y)); [nra|].
    replace (/ x * v ^ k * (x * y)) with (y * v ^ k) by (field; lra).
    replace ((/ y + 0) * (x * y)) with x by (field; lra). lra.
Qed.

Lemma near_quotient k l x y x' y' :
  near k 0 x y -> near l 0 x' y' -> 0 < y' -> near (k + l) 0 (x / x') (y / y').
Proof. intros. unfold Rdiv. apply near_product; auto. apply near_inverse; auto. Qed.

Definition half k := Nat.div2 (S k).

Lemma half_enough k : (k <= half k + half k)%nat.
Proof.
  unfold half. pose proof (Nat.div2_odd (S k)).
  destruct (Nat.odd (S k)); simpl Nat.b2n in *; lia.
Qed.

Lemma half_le k l : (k <= l)%nat -> (half k <= half l)%nat.
Proof.
  unfold half. intros. pose proof (Nat.div2_odd (S k)). pose proof (Nat.div2_odd (S l)).
  destruct (Nat.odd (S k)), (Nat.odd (S l)); simpl Nat.b2n in *; lia.
Qed.

Lemma near_root k x y : near k 0 x y -> near (half k) 0 (sqrt x) (sqrt y).
Proof.
  intros N. apply near_le with (l := (half k + half k)%nat) (b := 0) in N;
    [|apply half_enough | lra].
  destruct N as (_ & X & Y & L & H). rewrite pow_add in *. pose proof (power_pos (half k)).
  set (p := v ^ half k) in *.
  unfold near. repeat split; try apply sqrt_pos; try lra; fold p;
    rewrite <- (sqrt_square p) at 1 by lra; rewrite <- sqrt_mult by nra;
    rewrite Rplus_0_r; apply sqrt_le_1; nra.
Qed.

Lemma near_max k c x y : 0 <= c -> near k 0 x y -> near k 0 (Rmax c x) (Rmax c y).
Proof.
  intros C (A & X & Y & L & H). pose proof (power_pos k). pose proof (power_le_1 k).
  unfold near, Rmax. destruct (Rle_dec c x), (Rle_dec c y); repeat split; nra.
Qed.

(* What was lost besides the roundings is less than one rounding of numbers that are not small. *)
Lemma near_absorbed k a c x y :
  near k a x y -> few k -> 0 <= c -> 2 * a <= u * Rmax c y ->
  near (S k) 0 (Rmax c x) (Rmax c y).
Proof.
  unfold few. intros (A & X & Y & L & H) F C B.
  pose proof (Rmax_l c x). pose proof (Rmax_r c x).
  pose proof (Rmax_l c y). pose proof (Rmax_r c y).
  pose proof (power_le_1 k). set (q := v ^ k) in *.
  assert (P : 0 <= v * q <= 1) by nra.
  unfold near. simpl. fold q. repeat split; try lra.
  - destruct (Rle_dec y c) as [Small|Large].
    + rewrite (Rmax_left c y) by assumption. nra.
    + rewrite (Rmax_right c y) in * by lra.
      replace (y * (v * q)) with (y * q - u * y * q) by ring. nra.
  - destruct (Rle_dec x c) as [Small|Large].
    + rewrite (Rmax_left c x) by assumption. nra.
    + rewrite (Rmax_right c x) by lra.
      apply Rle_trans with ((y + a) * v); nra.
Qed.

Lemma near_bound k a x y :
  near k a x y -> INR k * u < 1 ->
  Rabs (x - y) <= (y + a) * (INR k * u / (1 - INR k * u)) + a.
Proof.
  intros (A & X & Y & L & H) K. pose proof (bernoulli k) as B. pose proof (pos_INR k).
  assert (Z : 0 <= INR k * u) by nra. set (z := INR k * u) in *. clearbody z.
  assert (T : z / (1 - z) * (1 - z) = z) by (field; lra).
  assert (P : 0 <= z / (1 - z)) by (apply Rmult_le_pos; [lra | left; apply Rinv_0_lt_compat; lra]).
  set (g := z / (1 - z)) in *. clearbody g. set (p := v ^ k) in *. clearbody p.
  assert (E : (1 + g) * (1 - z) = 1) by (ring_simplify; nra).
  assert (x <= (y + a) * (1 + g)). {
    apply Rle_trans with (x * ((1 + g) * (1 - z))); [rewrite E; lra|].
    apply Rle_trans with ((x * (1 - z)) * (1 + g)); [lra|].
    apply Rmult_le_compat_r; nra. }
  assert (y * (1 - z) <= x + a) by nra.
  apply Rabs_le. split; nra.
Qed.
End Near.
