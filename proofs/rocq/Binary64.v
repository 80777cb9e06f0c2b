(* IEEE doubles as Flocq has them, infinities and NaN included: a result is finite, and near what
   it stands for, where the exact one is within range. *)
From Flocq Require Import Core Plus_error Relative BinarySingleNaN.
Require Import Reals Lra Lia Psatz List Permutation.
Require Import Sums Trees Near.
Open Scope R_scope.

Notation double := (binary_float 53 1024).
Global Instance precision : Prec_gt_0 53 := eq_refl.
Global Instance precision_below_range : Prec_lt_emax 53 1024 := eq_refl.
Notation two := (bpow radix2).
Notation real := B2R.
Notation finite x := (is_finite x = true).

Declare Scope double_scope.
Delimit Scope double_scope with D.
Bind Scope double_scope with binary_float.
Notation "x + y" := (Bplus mode_NE x y) : double_scope.
Notation "x - y" := (Bminus mode_NE x y) : double_scope.
Notation "x * y" := (Bmult mode_NE x y) : double_scope.
Notation "x / y" := (Bdiv mode_NE x y) : double_scope.
Notation root x := (Bsqrt mode_NE x).
Definition larger (x y : double) : double := if Bltb x y then y else x.

Definition u := two (-53).
Definition least := two (-1075).  (* half of the least double: what may be lost below the range *)
Definition rnd := round radix2 (SpecFloat.fexp 53 1024) ZnearestE.

Lemma unit_small : 0 < u <= / 8.
Proof.
  split; [apply bpow_gt_0|]. replace (/ 8) with (two (-3)) by (simpl; lra). apply bpow_le. lia.
Qed.

Lemma least_nonneg : 0 <= least.
Proof. apply bpow_ge_0. Qed.

Notation near := (near u).
Notation few := (few u).

(* Rounding *)

Lemma rnd_nonneg x : 0 <= x -> 0 <= rnd x.
Proof.
  intros H. unfold rnd. rewrite <- (round_0 radix2 (SpecFloat.fexp 53 1024) ZnearestE).
  apply round_le; auto; try apply valid_rnd_N. apply fexp_correct, precision.
Qed.

Lemma rnd_within x e : (-1074 <= e)%Z -> Rabs x <= two e -> Rabs (rnd x) <= two e.
Proof.
  intros E H. apply abs_round_le_generic; auto; try apply valid_rnd_N.
  - apply fexp_correct, precision.
  - apply generic_format_bpow. unfold SpecFloat.fexp, SpecFloat.emin. lia.
Qed.

Lemma half_two e : / 2 * two (e + 1) = two e.
Proof. rewrite bpow_plus. simpl (two 1). lra. Qed.

Lemma rnd_relative x : two (-1022) <= x -> x * (1 - u) <= rnd x /\ rnd x * (1 - u) <= x.
Proof.
  intros H. pose proof unit_small. pose proof (bpow_gt_0 radix2 (-1022)).
  assert (E := relative_error_N_FLT radix2 (-1074) 53 eq_refl (fun x => negb (Z.even x)) x).
  rewrite (Rabs_pos_eq x) in E by lra. specialize (E H).
  change (- (53) + 1)%Z with (-53 + 1)%Z in E. rewrite half_two in E. fold u in E.
  change (Rabs (rnd x - x) <= u * x) in E. apply Rabs_le_inv in E. split; nra.
Qed.

Lemma rnd_loses x : 0 <= x -> x * (1 - u) <= rnd x + least /\ rnd x * (1 - u) <= x + least.
Proof.
  intros H. pose proof unit_small. pose proof least_nonneg.
  destruct (error_N_FLT radix2 (-1074) 53 eq_refl (fun x => negb (Z.even x)) x)
    as (e & l & Be & Bl & _ & E).
  change (- (53) + 1)%Z with (-53 + 1)%Z in Be. rewrite half_two in Be. fold u in Be.
  replace (/ 2 * two (-1074)) with least in Bl by (symmetry; apply (half_two (-1075))).
  change (rnd x = x * (1 + e) + l) in E. apply Rabs_le_inv in Be. apply Rabs_le_inv in Bl.
  assert (- u * x <= e * x <= u * x) by (split; apply Rmult_le_compat_r; lra).
  rewrite E. split; nra.
Qed.

Lemma rnd_sum (x y : double) : 0 <= real x + real y ->
  (real x + real y) * (1 - u) <= rnd (real x + real y) /\
  rnd (real x + real y) * (1 - u) <= real x + real y.
Proof.
  intros H. pose proof unit_small.
  destruct (FLT_plus_error_N_ex radix2 (-1074) 53 (fun x => negb (Z.even x))
    (real x) (real y) (generic_format_B2R _ _ x) (generic_format_B2R _ _ y)) as (e & B & E).
  change (rnd (real x + real y) = (real x + real y) * (1 + e)) in E. rewrite E.
  assert (Rabs e <= u). {
    apply Rle_trans with (1 := B). unfold u_ro. change (- (53) + 1)%Z with (-53 + 1)%Z.
    rewrite half_two. fold u. apply (Rmult_le_reg_r (1 + u)); [lra|].
    replace (u / (1 + u) * (1 + u)) with u by (field; lra). nra. }
  apply Rabs_le_inv in H1. set (s := real x + real y) in *. clearbody s.
  assert (- u * s <= e * s <= u * s) by (split; apply Rmult_le_compat_r; lra). split; nra.
Qed.

(* Operations on doubles whose exact result is within range *)

Lemma no_overflow z : Rabs z <= two 1023 -> Rlt_bool (Rabs (rnd z)) (two 1024) = true.
Proof.
  intros H. apply Rlt_bool_true. apply Rle_lt_trans with (two 1023).
  - apply rnd_within; [lia | auto].
  - apply bpow_lt. lia.
Qed.

Lemma sum_of (x y : double) : finite x -> finite y -> Rabs (real x + real y) <= two 1023 ->
  finite (x + y)%D /\ real (x + y)%D = rnd (real x + real y).
Proof.
  intros X Y B. pose proof (Bplus_correct 53 1024 _ _ mode_NE x y X Y) as C.
  fold (rnd (real x + real y)) in C.
  change (round radix2 (SpecFloat.fexp 53 1024) (round_mode mode_NE)) with rnd in C.
  rewrite no_overflow in C by auto. tauto.
Qed.

Lemma difference_of (x y : double) : finite x -> finite y -> Rabs (real x - real y) <= two 1023 ->
  finite (x - y)%D /\ real (x - y)%D = rnd (real x - real y).
Proof.
  intros X Y B. pose proof (Bminus_correct 53 1024 _ _ mode_NE x y X Y) as C.
  change (round radix2 (SpecFloat.fexp 53 1024) (round_mode mode_NE)) with rnd in C.
  rewrite no_overflow in C by auto. tauto.
Qed.

Lemma product_of (x y : double) : finite x -> finite y -> Rabs (real x * real y) <= two 1023 ->
  finite (x * y)%D /\ real (x * y)%D = rnd (real x * real y).
Proof.
  intros X Y B. pose proof (Bmult_correct 53 1024 _ _ mode_NE x y) as C.
  change (round radix2 (SpecFloat.fexp 53 1024) (round_mode mode_NE)) with rnd in C.
  rewrite no_overflow in C by auto. destruct C as (C & F & _). rewrite F, X, Y. auto.
Qed.

Lemma quotient_of (x y : double) : finite x -> real y <> 0 -> Rabs (real x / real y) <= two 1023 ->
  finite (x / y)%D /\ real (x / y)%D = rnd (real x / real y).
Proof.
  intros X Y B. pose proof (Bdiv_correct 53 1024 _ _ mode_NE x y Y) as C.
  change (round radix2 (SpecFloat.fexp 53 1024) (round_mode mode_NE)) with rnd in C.
  rewrite no_overflow in C by auto. destruct C as (C & F & _). rewrite F. auto.
Qed.

Lemma root_of (x : double) : finite x -> 0 <= real x ->
  finite (root x) /\ real (root x) = rnd (sqrt (real x)).
Proof.
  intros X P. destruct (Bsqrt_correct 53 1024 _ _ mode_NE x) as (C & F & _).
  split; [rewrite F | exact C]. destruct x as [s| | |s m e B]; try discriminate; auto.
  destruct s; auto. exfalso. simpl in P. pose proof (F2R_lt_0 radix2 (Float radix2 (Zneg m) e)).
  simpl in H. specialize (H ltac:(lia)). unfold cond_Zopp in P. simpl in P. lra.
Qed.

Lemma larger_of (x y : double) : finite x -> finite y ->
  finite (larger x y) /\ real (larger x y) = Rmax (real x) (real y).
Proof.
  intros X Y. unfold larger. rewrite Bltb_correct by auto.
  case Rlt_bool_spec; intros H; split; auto.
  - symmetry. apply Rmax_right. lra.
  - symmetry. apply Rmax_left. lra.
Qed.

(* What a double stands for.  `gives`: a nonnegative number, near it but for what was lost below
   the range; `sure`: a positive number, in a range, near it with nothing lost. *)

Definition gives k a h (X : double) y :=
  finite X /\ near k a (real X) y /\ a <= 1 /\ y <= two h.
Definition sure k l h (X : double) y :=
  finite X /\ near k 0 (real X) y /\ two l <= y <= two h.

Lemma sure_positive k l h X y : sure k l h X y -> 0 < y /\ 0 < real X.
Proof.
  intros (_ & N & L & _). pose proof (bpow_gt_0 radix2 l).
  assert (0 < y) by lra. split; auto. apply (near_positive u unit_small k _ y); auto.
Qed.

Lemma gives_of_sure k l h X y : sure k l h X y -> gives k 0 h X y.
Proof. unfold sure, gives. intuition lra. Qed.

Lemma sure_of_gives k l h X y : gives k 0 h X y -> two l <= y -> sure k l h X y.
Proof. unfold sure, gives. intuition. Qed.

Lemma gives_given (X : double) h : finite X -> 0 <= real X <= two h -> gives 0 0 h X (real X).
Proof. intros F B. refine (conj F (conj _ (conj _ _))); try lra. apply near_refl. lra. Qed.

Lemma sure_given (X : double) l h : finite X -> two l <= real X <= two h -> sure 0 l h X (real X).
Proof.
  intros F B. pose proof (bpow_ge_0 radix2 l). refine (conj F (conj _ B)). apply near_refl. lra.
Qed.

Lemma gives_le k k' a a' h h' X y :
  gives k a h X y -> (k <= k')%nat -> a <= a' <= 1 -> (h <= h')%Z -> gives k' a' h' X y.
Proof.
  intros (F & N & A & H) K B E. apply (bpow_le radix2) in E.
  refine (conj F (conj _ (conj _ _))); try lra. apply (near_le u unit_small) with k a; tauto.
Qed.

Lemma sure_le k k' l h X y : sure k l h X y -> (k <= k')%nat -> sure k' l h X y.
Proof.
  intros (F & N & B) K. refine (conj F (conj _ B)).
  apply (near_le u unit_small) with k 0; auto; lra.
Qed.

Lemma two_1 : two 1 = 2.
Proof. reflexivity. Qed.

Lemma doubled e : 2 * two e = two (e + 1).
Proof. rewrite bpow_plus, two_1. ring. Qed.

(* The computed number is below 2^(h + 2). *)
Lemma gives_below k a h X y : gives k a h X y -> few k -> (0 <= h)%Z -> real X <= two (h + 2).
Proof.
  intros (F & N & A & H) K E. apply (bpow_le radix2) in E. simpl (two 0) in E.
  replace (h + 2)%Z with (h + 1 + 1)%Z by lia. rewrite <- !doubled.
  apply (near_below u) with k a y; auto. lra.
Qed.

Lemma sure_within k l h X y : sure k l h X y -> few k -> two (l - 1) <= real X <= two (h + 1).
Proof.
  unfold few, Near.few. intros (F & (_ & P & Q & L & H) & B) K.
  assert (E : two l = 2 * two (l - 1)) by (rewrite doubled; f_equal; lia).
  rewrite <- (doubled h). split; nra.
Qed.

Lemma sum_gives k a b h X Y y z :
  gives k a h X y -> gives k b h Y z -> few k -> a + b <= 1 -> y + z <= two h ->
  (0 <= h <= 1000)%Z ->
  gives (S k) (a + b) h (X + Y)%D (y + z).
Proof.
  intros (FX & NX & _ & _) (FY & NY & _ & _) K A H E.
  pose proof (near_add u _ _ _ _ _ _ _ NX NY) as N.
  assert (P : 0 <= real X + real Y <= two 1023). {
    split; [apply N|]. apply Rle_trans with (2 * (2 * two h)).
    - apply (near_below u) with k (a + b) (y + z); auto.
      destruct E as (E & _). apply (bpow_le radix2) in E. simpl (two 0) in E. lra.
    - rewrite !doubled. apply bpow_le. lia. }
  destruct (sum_of X Y) as (F & V); auto; [rewrite Rabs_pos_eq; lra|].
  refine (conj F (conj _ (conj A H))). rewrite V. replace (a + b) with (a + b + 0) by ring.
  apply (near_rounded u unit_small) with (real X + real Y); auto; try lra;
    try (apply rnd_nonneg; lra); try rewrite Rplus_0_r; apply rnd_sum; lra.
Qed.

Lemma product_gives k l a f g h X Y y z :
  gives k a g X y -> finite Y -> near l 0 (real Y) z -> real Y <= f -> z <= f -> few (k + l) ->
  a * f + least <= 1 -> y * z <= two h -> (0 <= h <= 1000)%Z ->
  gives (S (k + l)) (a * f + least) h (X * Y)%D (y * z).
Proof.
  intros (FX & NX & _ & _) FY NY BY Bz K A H E.
  pose proof (near_mul u unit_small _ _ _ _ _ _ _ _ NX NY BY Bz) as N.
  pose proof least_nonneg.
  assert (P : 0 <= real X * real Y <= two 1023). {
    split; [apply N|]. apply Rle_trans with (2 * (2 * two h)).
    - apply (near_below u) with (k + l)%nat (a * f) (y * z); auto.
      destruct E as (E & _). apply (bpow_le radix2) in E. simpl (two 0) in E. lra.
    - rewrite !doubled. apply bpow_le. lia. }
  destruct (product_of X Y) as (F & V); auto; [rewrite Rabs_pos_eq; lra|].
  refine (conj F (conj _ (conj A H))). rewrite V.
  apply (near_rounded u unit_small) with (real X * real Y); auto;
    try (apply rnd_nonneg; lra); apply rnd_loses; lra.
Qed.

Lemma near_sure_rounded k l h x y x' : near k 0 x y -> few k -> two l <= y <= two h ->
  (-1021 <= l)%Z -> x' = rnd x -> near (S k) 0 x' y.
Proof.
  intros N K B E ->. assert (two (-1022) <= x). {
    destruct N as (_ & P & Q & L & H). unfold few, Near.few in K.
    apply (bpow_le radix2) in E. replace (-1021)%Z with (-1022 + 1)%Z in E by lia.
    rewrite <- doubled in E. nra. }
  pose proof (bpow_gt_0 radix2 (-1022)). replace 0 with (0 + 0) by ring.
  apply (near_rounded u unit_small) with x; auto; try lra; try apply rnd_nonneg; try lra;
    rewrite Rplus_0_r; apply rnd_relative; auto.
Qed.

Lemma near_within k x y h : near k 0 x y -> few k -> y <= two h -> (h <= 1000)%Z ->
  Rabs x <= two 1023.
Proof.
  intros N K B E. pose proof N as (_ & P & _). rewrite Rabs_pos_eq by auto.
  apply Rle_trans with (2 * two h).
  - apply (near_below u) with k 0 y; auto. lra.
  - rewrite doubled. apply bpow_le. lia.
Qed.

Lemma product_sure k l a b c d lo hi X Y y z :
  sure k a b X y -> sure l c d Y z -> few (k + l) -> two lo <= y * z <= two hi ->
  (-1021 <= lo)%Z -> (hi <= 1000)%Z -> sure (S (k + l)) lo hi (X * Y)%D (y * z).
Proof.
  intros (FX & NX & BX) (FY & NY & BY) K B L H.
  pose proof (near_product u unit_small _ _ _ _ _ _ NX NY) as N.
  destruct (product_of X Y) as (F & V); auto.
  { apply near_within with (k + l)%nat (y * z) hi; tauto. }
  unfold sure. split; auto. split; auto. apply near_sure_rounded with lo hi (real X * real Y); auto.
Qed.

Lemma quotient_sure k l a b c d lo hi X Y y z :
  sure k a b X y -> sure l c d Y z -> few (k + l) -> two lo <= y / z <= two hi ->
  (-1021 <= lo)%Z -> (hi <= 1000)%Z -> sure (S (k + l)) lo hi (X / Y)%D (y / z).
Proof.
  intros SX SY K B L H. destruct (sure_positive _ _ _ _ _ SY) as (Pz & PY).
  destruct SX as (FX & NX & BX), SY as (FY & NY & BY).
  pose proof (near_quotient u unit_small _ _ _ _ _ _ NX NY Pz) as N.
  destruct (quotient_of X Y) as (F & V); auto; try lra.
  { apply near_within with (k + l)%nat (y / z) hi; tauto. }
  unfold sure. split; auto. split; auto. apply near_sure_rounded with lo hi (real X / real Y); auto.
Qed.

Lemma root_sure k a b lo hi X y :
  sure k a b X y -> few (half k) -> two lo <= sqrt y <= two hi -> (-1021 <= lo)%Z ->
  sure (S (half k)) lo hi (root X) (sqrt y).
Proof.
  intros SX K B L. destruct (sure_positive _ _ _ _ _ SX) as (Py & PX).
  destruct SX as (FX & NX & BX). pose proof (near_root u unit_small _ _ _ NX) as N.
  destruct (root_of X) as (F & V); auto; try lra.
  unfold sure. split; auto. split; auto. apply near_sure_rounded with lo hi (sqrt (real X)); auto.
Qed.

(* Ranges of products, quotients and roots *)

Definition within l h y := two l <= y <= two h.

Lemma within_product a b c d y z : within a b y -> within c d z -> within (a + c) (b + d) (y * z).
Proof.
  unfold within. intros. rewrite !bpow_plus. pose proof (bpow_gt_0 radix2 a).
  pose proof (bpow_gt_0 radix2 c). split; apply Rmult_le_compat; lra.
Qed.

Lemma within_quotient a b c d y z : within a b y -> within c d z -> within (a - d) (b - c) (y / z).
Proof.
  unfold within. intros. unfold Z.sub. rewrite !bpow_plus, !bpow_opp. unfold Rdiv.
  pose proof (bpow_gt_0 radix2 a). pose proof (bpow_gt_0 radix2 c).
  split; apply Rmult_le_compat; try lra; try (left; apply Rinv_0_lt_compat; lra);
    try (left; apply Rinv_0_lt_compat; apply bpow_gt_0); apply Rinv_le_contravar; lra.
Qed.

Lemma root_of_two e : sqrt (two (e + e)) = two e.
Proof. rewrite bpow_plus. apply sqrt_square, bpow_ge_0. Qed.

Lemma within_root a b y : within (a + a) (b + b) y -> within a b (sqrt y).
Proof.
  unfold within. intros. pose proof (bpow_gt_0 radix2 (a + a)).
  rewrite <- (root_of_two a), <- (root_of_two b). split; apply sqrt_le_1; lra.
Qed.

Lemma within_le a b c d y : within c d y -> (a <= c)%Z -> (d <= b)%Z -> within a b y.
Proof.
  unfold within. intros B L H. apply (bpow_le radix2) in L. apply (bpow_le radix2) in H. lra.
Qed.

(* Sums along a tree *)

Fixpoint added {A} (f : A -> double) (t : tree A) : double :=
  match t with leaf a => f a | node l r => (added f l + added f r)%D end.

Lemma added_gives {A} k a h (f : A -> double) (g : A -> R) t :
  (forall x, In x (leaves t) -> gives k a h (f x) (g x)) ->
  few (k + depth t) -> INR (length (leaves t)) * a <= 1 -> total g (leaves t) <= two h ->
  (0 <= h <= 1000)%Z ->
  gives (k + depth t) (INR (length (leaves t)) * a) h (added f t) (total g (leaves t)).
Proof.
  induction t as [x | t1 IH1 t2 IH2]; intros H K B T E; simpl in *.
  - rewrite Rplus_0_r, Rmult_1_l in *. rewrite Nat.add_0_r. auto.
  - rewrite app_length, plus_INR, Rmult_plus_distr_r, total_app in *.
    assert (P1 : forall x, In x (leaves t1) -> gives k a h (f x) (g x))
      by (intros; apply H, in_or_app; auto).
    assert (P2 : forall x, In x (leaves t2) -> gives k a h (f x) (g x))
      by (intros; apply H, in_or_app; auto).
    assert (Q1 : 0 <= total g (leaves t1)). { apply total_nonneg. intros x I. apply (P1 x I). }
    assert (Q2 : 0 <= total g (leaves t2)). { apply total_nonneg. intros x I. apply (P2 x I). }
    assert (Z1 : 0 <= INR (length (leaves t1)) * a). {
      destruct (leaves t1) as [|x l]; [simpl; lra|]. apply Rmult_le_pos; [apply pos_INR|].
      apply (P1 x). simpl. auto. }
    assert (Z2 : 0 <= INR (length (leaves t2)) * a). {
      destruct (leaves t2) as [|x l]; [simpl; lra|]. apply Rmult_le_pos; [apply pos_INR|].
      apply (P2 x). simpl. auto. }
    set (D := Nat.max (depth t1) (depth t2)) in *. rewrite Nat.add_succ_r in *.
    apply sum_gives; auto.
    + apply gives_le with (k + depth t1)%nat (INR (length (leaves t1)) * a) h; try lia; try lra.
      apply IH1; auto; try lra. apply (few_le u unit_small) with (S (k + D)); auto. lia.
    + apply gives_le with (k + depth t2)%nat (INR (length (leaves t2)) * a) h; try lia; try lra.
      apply IH2; auto; try lra. apply (few_le u unit_small) with (S (k + D)); auto. lia.
    + apply (few_le u unit_small) with (S (k + D)); auto.
Qed.
