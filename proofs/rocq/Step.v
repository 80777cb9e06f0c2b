(* What the step of a vector and that of a matrix share, as the loops compute it in doubles:
   a moving average, alpha, the divisor of U_hat, and the last subtraction. *)
From Flocq Require Import Core Plus_error Relative BinarySingleNaN.
Require Import Reals Lra Lia Psatz List Permutation.
Require Import Sums Trees Near Binary64.
Open Scope R_scope.

Lemma two_0 : two 0 = 1.
Proof. reflexivity. Qed.

Lemma two_le a b : (a <= b)%Z -> two a <= two b.
Proof. apply bpow_le. Qed.

Lemma two_pos e : 0 < two e.
Proof. apply bpow_gt_0. Qed.

Lemma few_less k l : few l -> (k <= l)%nat -> few k.
Proof. apply (few_le u unit_small). Qed.

Lemma square_gives (X : double) h :
  finite X -> real X * real X <= two h -> (h <= 1000)%Z -> gives 1 least h (X * X)%D (real X * real X).
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
    apply (near_rounded u unit_small) with (real S * / p); auto; try (apply rnd_nonneg; lra); apply rnd_loses; lra.
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

(* The larger of a constant and of a root, where only numbers that are not small count. *)

Lemma root_rounded (X : double) : finite X -> 0 <= real X ->
  finite (root X) /\ sqrt (real X) * (1 - u) <= real (root X) /\
  real (root X) * (1 - u) <= sqrt (real X).
Proof.
  intros F P. destruct (root_of X F P) as (G & V). split; auto. rewrite V.
  destruct P as [P|Z].
  - apply rnd_relative. apply Rle_trans with (two (-537)); [apply two_le; lia|].
    rewrite <- root_of_two. apply sqrt_le_1; try lra; [apply bpow_ge_0|].
    rewrite <- (Rabs_pos_eq (real X)) by lra. apply (abs_B2R_ge_emin 53 1024).
    destruct X; auto; simpl in *; lra.
  - rewrite <- Z, sqrt_0. unfold rnd. rewrite round_0; [lra | apply valid_rnd_N].
Qed.

Lemma root_of_larger c x : 0 <= c -> 0 <= x -> sqrt (Rmax (c * c) x) = Rmax c (sqrt x).
Proof.
  intros C X. pose proof (sqrt_square c C) as E. unfold Rmax at 1.
  destruct (Rle_dec (c * c) x) as [H|H].
  - rewrite Rmax_right; auto. pose proof (sqrt_le_1 (c * c) x). nra.
  - rewrite Rmax_left; auto. pose proof (sqrt_le_1 x (c * c)). nra.
Qed.

Lemma larger_rounded k c x x' y : 0 <= c -> near k 0 (Rmax c x) (Rmax c y) -> 0 <= x ->
  x * (1 - u) <= x' -> x' * (1 - u) <= x -> near (S k) 0 (Rmax c x') (Rmax c y).
Proof.
  intros C N X L H. pose proof unit_small. replace 0 with (0 + 0) by ring.
  apply (near_rounded u unit_small) with (Rmax c x); auto; try lra; rewrite ?Rplus_0_r.
  - apply Rle_trans with c; auto. apply Rmax_l.
  - unfold Rmax. destruct (Rle_dec c x), (Rle_dec c x'); nra.
  - unfold Rmax. destruct (Rle_dec c x), (Rle_dec c x'); nra.
Qed.

Lemma larger_root k a h c (X : double) x :
  gives k a h X x -> few (S k) -> 0 <= c -> 2 * a <= u * Rmax (c * c) x ->
  finite (root X) /\ 0 <= real (root X) /\
  near (S (half (S k))) 0 (Rmax c (real (root X))) (Rmax c (sqrt x)).
Proof.
  intros (F & N & _ & B) K C A. assert (P : 0 <= real X) by apply N. assert (Q : 0 <= x) by apply N.
  destruct (root_rounded X F P) as (G & L & H). pose proof unit_small.
  pose proof (sqrt_pos (real X)). split; auto. split; [nra|].
  apply larger_rounded with (sqrt (real X)); auto.
  rewrite <- !root_of_larger by auto. apply (near_root u unit_small).
  apply (near_absorbed u unit_small) with a; auto; [|nra]. apply (few_less _ _ K). lia.
Qed.

Lemma within_rmax l h c x : two l <= Rmax c x -> c <= two h -> x <= two h -> within l h (Rmax c x).
Proof. intros. split; auto. apply Rmax_lub; auto. Qed.

Definition alpha (eps2 rho msX : double) := (larger eps2 (root msX) * rho)%D.
Definition Alpha (eps2 rho msX : R) := Rmax eps2 (sqrt msX) * rho.
Definition alpha_K k kr := S (S (half (S k)) + kr).

Lemma alpha_sure k kr a (eps2 rho msX : double) r ms :
  gives k a 800 msX ms -> finite eps2 -> 0 <= real eps2 <= two 400 -> a <= two (-1000) ->
  two (-247) <= Rmax (real eps2) (sqrt ms) -> sure kr (-100) 100 rho r ->
  few (alpha_K k kr) -> few (S k) ->
  sure (alpha_K k kr) (-347) 500 (alpha eps2 rho msX) (Alpha (real eps2) r ms).
Proof.
  intros M F E A L S K K'. pose proof unit_small.
  assert (Q : 0 <= ms) by apply M.
  destruct (larger_root _ _ _ (real eps2) _ _ M) as (G & _ & N); [auto | lra | |].
  - assert (two (-494) <= Rmax (real eps2 * real eps2) ms). {
      assert (Z : sqrt (Rmax (real eps2 * real eps2) ms) = Rmax (real eps2) (sqrt ms)) by (apply root_of_larger; lra).
      rewrite <- Z in L. assert (W : 0 <= Rmax (real eps2 * real eps2) ms). {
        apply Rle_trans with ms; auto. apply Rmax_r. }
      rewrite <- (sqrt_sqrt _ W). replace (-494)%Z with (-247 + -247)%Z by lia. rewrite bpow_plus.
      pose proof (two_pos (-247)). apply Rmult_le_compat; lra. }
    apply Rle_trans with (u * two (-494)); [|apply Rmult_le_compat_l; lra].
    unfold u. rewrite <- bpow_plus. apply Rle_trans with (2 * two (-1000)); [lra|].
    rewrite doubled. apply two_le. lia.
  - destruct (larger_of eps2 (root msX)) as (I & V); auto.
    assert (W : within (-247) 400 (Rmax (real eps2) (sqrt ms))). {
      apply within_rmax; auto; [tauto|]. rewrite <- root_of_two. apply sqrt_le_1; auto using bpow_ge_0.
      apply M. }
    unfold alpha, Alpha, alpha_K. destruct S as (FS & NS & BS).
    apply product_sure with (a := (-247)%Z) (b := 400%Z) (c := (-100)%Z) (d := 100%Z); try lia.
    + refine (conj I (conj _ W)). rewrite V. exact N.
    + exact (conj FS (conj NS BS)).
    + apply (few_less _ _ K). unfold alpha_K. lia.
    + apply (within_product (-247) 400 (-100) 100); auto.
Qed.

(* The divisor of U_hat. *)
Definition divisor (d msU : double) := larger (Bone : double) (root msU / d)%D.
Definition Divisor (d msU : R) := Rmax 1 (sqrt msU / d).
Definition divisor_K k := S (S (half (S k))).

Lemma divisor_sure k a (d msU : double) ms :
  gives k a 845 msU ms -> finite d -> two (-20) <= real d -> a <= two (-110) ->
  few (divisor_K k) -> few (S k) ->
  sure (divisor_K k) 0 443 (divisor d msU) (Divisor (real d) ms).
Proof.
  intros M F D A K K'. pose proof unit_small. pose proof (two_pos (-20)).
  assert (Q : 0 <= ms) by apply M. assert (B : ms <= two 845) by apply M.
  destruct (larger_root _ _ _ (real d) _ _ M) as (G & P & N); auto; try lra.
  - apply Rle_trans with (u * two (-40)).
    + unfold u. rewrite <- bpow_plus. apply Rle_trans with (2 * two (-110)); [lra|].
      rewrite doubled. apply two_le. lia.
    + apply Rmult_le_compat_l; [lra|]. apply Rle_trans with (real d * real d); [|apply Rmax_l].
      replace (-40)%Z with (-20 + -20)%Z by lia. rewrite bpow_plus. apply Rmult_le_compat; lra.
  - set (x := real (root msU)) in *. assert (I : 0 < / real d) by (apply Rinv_0_lt_compat; lra).
    assert (Over : forall z, Rmax (real d) z * / real d = Rmax 1 (z / real d)). {
      intros z. rewrite Rmult_comm, <- RmaxRmult by lra. f_equal; field; lra. }
    apply (near_mul u unit_small) with (l := 0%nat) (x' := / real d) (y' := / real d) (h := / real d) in N; try lra;
      [|apply near_refl; lra].
    rewrite !Over, Rmult_0_l, Nat.add_0_r in N.
    assert (Top : sqrt ms / real d <= two 443). {
      apply Rle_trans with (two 423 * / two (-20)).
      - apply Rmult_le_compat; try lra; try apply sqrt_pos.
        + rewrite <- root_of_two. apply sqrt_le_1; try lra; [apply bpow_ge_0|].
          apply Rle_trans with (1 := B). apply two_le. lia.
        + apply Rinv_le_contravar; lra.
      - rewrite <- bpow_opp, <- bpow_plus. apply two_le. lia. }
    assert (Z : 0 <= x / real d) by (apply Rmult_le_pos; lra).
    assert (T443 : 1 <= two 443) by (rewrite <- two_0; apply two_le; lia).
    assert (V : x / real d <= two 1023). {
      apply Rle_trans with (2 * two 443).
      - apply Rle_trans with (Rmax 1 (x / real d)); [apply Rmax_r|].
        apply (near_below u) with (S (half (S k))) 0 (Rmax 1 (sqrt ms / real d)); auto.
        + apply (few_less _ _ K). unfold divisor_K. lia.
        + rewrite Rplus_0_r. apply Rmax_lub; auto.
      - rewrite doubled. apply two_le. lia. }
    destruct (quotient_of (root msU) d) as (H1 & V1); auto; try lra; [rewrite Rabs_pos_eq; auto|].
    fold x in V1. destruct (larger_of Bone (root msU / d)) as (H2 & V2); auto.
    unfold divisor, Divisor, divisor_K. refine (conj H2 (conj _ _)).
    + rewrite V2, V1, (Bone_correct 53 1024).
      destruct (Rle_dec 1 (x / real d)) as [C|C].
      * apply larger_rounded with (x / real d); auto; try lra; apply rnd_relative;
          apply Rle_trans with 1; auto; rewrite <- two_0; apply two_le; lia.
      * assert (R : Rabs (rnd (x / real d)) <= two 0). {
          apply rnd_within; [lia|]. rewrite two_0, Rabs_pos_eq; lra. }
        rewrite two_0 in R. apply Rabs_le_inv in R.
        replace (Rmax 1 (rnd (x / real d))) with (Rmax 1 (x / real d)); [apply (near_le u unit_small) with (S (half (S k))) 0; auto; lra|].
        rewrite !Rmax_left; lra.
    + apply within_rmax; auto. rewrite two_0. apply Rmax_l.
Qed.

(* The step itself, of a factor that is sure and an entry of G of either sign, and X less it. *)

Definition gamma k := INR k * u / (1 - INR k * u).

Lemma gamma_within k : INR k * u <= / 2 -> 0 <= gamma k <= 1.
Proof.
  intros H. pose proof unit_small. pose proof (pos_INR k). unfold gamma.
  assert (0 <= INR k * u) by (apply Rmult_le_pos; lra).
  assert (I : 0 < / (1 - INR k * u)) by (apply Rinv_0_lt_compat; lra). split.
  - apply Rmult_le_pos; lra.
  - apply (Rmult_le_reg_r (1 - INR k * u)); [lra|].
    replace (INR k * u / (1 - INR k * u) * (1 - INR k * u)) with (INR k * u) by (field; lra). lra.
Qed.

Lemma few_of_gamma k : INR k * u <= / 2 -> few k.
Proof.
  intros H. unfold few, Near.few. pose proof (bernoulli u unit_small k). lra.
Qed.

Lemma few_roundings k l : (k <= l + l)%nat -> INR l * u <= / 4 -> INR k * u <= / 2.
Proof.
  intros H L. pose proof unit_small. apply le_INR in H. rewrite plus_INR in H.
  apply Rle_trans with ((INR l + INR l) * u); [apply Rmult_le_compat_r; lra | lra].
Qed.

Lemma sure_error k l h X x : sure k l h X x -> INR k * u <= / 2 ->
  Rabs (real X - x) <= gamma k * x.
Proof.
  intros (_ & N & _) K. apply (near_bound u unit_small) in N; [|lra].
  fold (gamma k) in N. lra.
Qed.

Lemma rnd_opposite x : rnd (- x) = - rnd x.
Proof. apply round_NE_opp. Qed.

Lemma rnd_size x : Rabs (rnd x) = rnd (Rabs x).
Proof.
  unfold Rabs at 2. destruct (Rcase_abs x).
  - rewrite rnd_opposite. assert (0 <= rnd (- x)) by (apply rnd_nonneg; lra).
    rewrite rnd_opposite in H. rewrite Rabs_left1; lra.
  - apply Rabs_pos_eq, rnd_nonneg. lra.
Qed.

Lemma move_near k l h (Z g : double) z :
  sure k l h Z z -> finite g -> Rabs (z * real g) <= two 900 -> INR (S k) * u <= / 2 ->
  finite (Z * g)%D /\ Rabs (real (Z * g)%D) <= two 902 /\
  Rabs (real (Z * g)%D - z * real g) <= gamma (S k) * Rabs (z * real g) + two (-1074) /\
  (two (-1021) <= Rabs (z * real g) \/ real g = 0 ->
   Rabs (real (Z * g)%D - z * real g) <= gamma (S k) * Rabs (z * real g)).
Proof.
  intros SZ F B K. destruct (sure_positive _ _ _ _ _ SZ) as (Pz & PZ).
  pose proof unit_small. pose proof least_nonneg. pose proof (gamma_within _ K) as Gw.
  assert (Ks : few k) by (apply few_less with (S k); [apply few_of_gamma; auto | lia]).
  destruct SZ as (FZ & NZ & _).
  assert (Ab : Rabs (z * real g) = z * Rabs (real g)) by (rewrite Rabs_mult, (Rabs_pos_eq z); lra).
  assert (AB : Rabs (real Z * real g) = real Z * Rabs (real g)) by (rewrite Rabs_mult, (Rabs_pos_eq (real Z)); lra).
  assert (N : near k 0 (real Z * Rabs (real g)) (z * Rabs (real g))). {
    rewrite <- (Nat.add_0_r k). apply (near_product u unit_small); auto.
    apply near_refl, Rabs_pos. }
  rewrite Ab in B.
  assert (Below : real Z * Rabs (real g) <= two 901). {
    replace 901%Z with (900 + 1)%Z by lia. rewrite <- doubled.
    apply (near_below u) with k 0 (z * Rabs (real g)); auto. lra. }
  destruct (product_of Z g) as (FP & V); auto.
  { rewrite AB. apply Rle_trans with (two 901); auto. apply two_le. lia. }
  pose proof (proj1 (proj2 N)) as P0. pose proof (proj1 (proj2 (proj2 N))) as P1.
  assert (Sign : Rabs (real (Z * g)%D - z * real g) =
    Rabs (rnd (real Z * Rabs (real g)) - z * Rabs (real g))). {
    rewrite V. unfold Rabs at 3 4. destruct (Rcase_abs (real g)); auto.
    replace (real Z * - real g) with (- (real Z * real g)) by ring.
    rewrite rnd_opposite, <- Rabs_Ropp. f_equal. ring. }
  assert (One : (1 + gamma (S k)) * least <= two (-1074)). {
    replace (two (-1074)) with (2 * least) by (unfold least; rewrite doubled; reflexivity). nra. }
  repeat split; auto.
  - rewrite V, rnd_size, AB. rewrite <- (Rabs_pos_eq (rnd _)) by (apply rnd_nonneg; auto).
    apply rnd_within; [lia|]. rewrite Rabs_pos_eq by auto.
    apply Rle_trans with (1 := Below). apply two_le. lia.
  - rewrite Sign, Ab.
    assert (M : near (S k) (0 + least) (rnd (real Z * Rabs (real g))) (z * Rabs (real g))).
    { apply (near_rounded u unit_small) with (real Z * Rabs (real g)); auto;
        try (apply rnd_nonneg; auto); apply rnd_loses; auto. }
    rewrite Rplus_0_l in M. apply (near_bound u unit_small) in M; [|lra].
    fold (gamma (S k)) in M. nra.
  - rewrite Sign, Ab. intros [L|Zero].
    + assert (M : near (S k) 0 (rnd (real Z * Rabs (real g))) (z * Rabs (real g))).
      { apply near_sure_rounded with (-1021)%Z 900%Z (real Z * Rabs (real g)); auto. lia. }
      apply (near_bound u unit_small) in M; [|lra]. fold (gamma (S k)) in M. nra.
    + rewrite Zero, Rabs_R0, !Rmult_0_r. unfold rnd. rewrite round_0 by apply valid_rnd_N.
      rewrite Rminus_0_r, Rabs_R0. lra.
Qed.

Lemma less_near (X D : double) : finite X -> finite D -> Rabs (real X) <= two 902 -> Rabs (real D) <= two 902 ->
  finite (X - D)%D /\ Rabs (real (X - D)%D - (real X - real D)) <= u * Rabs (real (X - D)%D).
Proof.
  intros FX FD BX BD. destruct (difference_of X D) as (F & V); auto.
  - apply Rle_trans with (Rabs (real X) + Rabs (real D)); [|].
    + unfold Rminus. rewrite <- (Rabs_Ropp (real D)). apply Rabs_triang.
    + apply Rle_trans with (2 * two 902); [lra|]. rewrite doubled. apply two_le. lia.
  - split; auto. rewrite V.
    destruct (FLT_plus_error_N_round_ex radix2 (-1074) 53 (fun x => negb (Z.even x))
      (real X) (- real D) (generic_format_B2R _ _ X) (generic_format_opp _ _ _ (generic_format_B2R _ _ D)))
      as (e & B & E).
    change (round radix2 (FLT_exp (-1074) 53) ZnearestE) with rnd in E.
    change (real X + - real D) with (real X - real D) in E. rewrite E at 2.
    set (r := rnd (real X - real D)) in *.
    replace (r - r * (1 + e)) with (- (e * r)) by ring. rewrite Rabs_Ropp, Rabs_mult.
    apply Rmult_le_compat_r; [apply Rabs_pos|]. unfold u_ro in B.
    change (- (53) + 1)%Z with (-53 + 1)%Z in B. rewrite half_two in B. exact B.
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
Lemma sum_along {T} k a h (f : T -> double) (g : T -> R) t l D :
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

Definition mean_square {T} (X : T -> double) (l : list T) :=
  total (fun a => real (X a) * real (X a)) l / INR (length l).

Lemma alpha_of_entries {T} kr D (X : T -> double) l t (eps2 rho N : double) r :
  Permutation (leaves t) l -> (depth t <= D)%nat -> (forall a, finite (X a)) ->
  total (fun a => real (X a) * real (X a)) l <= two 800 ->
  real N = INR (length l) -> 1 <= INR (length l) <= two 44 ->
  finite eps2 -> 0 <= real eps2 <= two 400 ->
  two (-247) <= Rmax (real eps2) (sqrt (mean_square X l)) -> sure kr (-100) 100 rho r ->
  few (alpha_K (S (1 + D)) kr + alpha_K (S (1 + D)) kr) ->
  sure (alpha_K (S (1 + D)) kr) (-347) 500
    (alpha eps2 rho (added (fun a => (X a * X a)%D) t / N)) (Alpha (real eps2) r (mean_square X l)).
Proof.
  intros P Dp F B V S F2 E2 L Rr K.
  pose proof (half_enough (Datatypes.S (Datatypes.S (1 + D)))) as C.
  assert (Tiny : least <= two (-1002)) by (apply two_le; lia). pose proof least_nonneg.
  assert (Lost : INR (length l) * least <= / 2). {
    apply Rle_trans with (two 44 * two (-1002)); [apply Rmult_le_compat; lra|].
    rewrite <- bpow_plus. replace (/ 2) with (two (-1)) by (simpl; lra). apply two_le. lia. }
  apply alpha_sure with (a := least + least); auto.
  - apply mean_along with (a := least) (l := l); auto; try lia; try lra.
    + intros a I. apply square_gives; auto; [|lia]. apply Rle_trans with (2 := B).
      apply (total_one (fun a => real (X a) * real (X a))); auto.
      intros b. pose proof (Rle_0_sqr (real (X b))). unfold Rsqr in *. lra.
    + apply (few_less _ _ K). unfold alpha_K. lia.
  - apply Rle_trans with (2 * two (-1002)); [lra|]. rewrite doubled. apply two_le. lia.
  - apply (few_less _ _ K). lia.
  - apply (few_less _ _ K). unfold alpha_K. lia.
Qed.

Lemma size_of (x : R) e : x * x <= two (e + e) -> Rabs x <= two e.
Proof.
  intros H. rewrite <- (root_of_two e), <- sqrt_Rsqr_abs. apply sqrt_le_1; auto.
  - apply Rle_0_sqr.
  - apply bpow_ge_0.
Qed.

(* From a factor that is sure to X_new; what float32 keeps of it is rounded once more. *)
Definition stored32 (X : double) := round radix2 (FLT_exp (-149) 24) ZnearestE (real X).
Definition half_ulp32 (X : double) := / 2 * ulp radix2 (FLT_exp (-149) 24) (real X).

Lemma new_near k l h (X Z g : double) z : sure k l h Z z -> finite g -> finite X ->
  Rabs (z * real g) <= two 900 -> Rabs (real X) <= two 400 -> INR (S k) * u <= / 2 ->
  finite (X - Z * g)%D /\
  Rabs (real (X - Z * g)%D - (real X - z * real g)) <=
    gamma (S k) * Rabs (z * real g) + two (-1074) + u * Rabs (real (X - Z * g)%D).
Proof.
  intros SZ Fg FX Bg BX K.
  destruct (move_near k l h Z g z) as (F & B & M & _); auto.
  destruct (less_near X (Z * g)) as (F' & L); auto.
  - apply Rle_trans with (1 := BX). apply two_le. lia.
  - split; auto. set (n := real (X - Z * g)) in *. set (s := real (Z * g)) in *.
    replace (n - (real X - z * real g)) with ((n - (real X - s)) - (s - z * real g)) by ring.
    apply Rle_trans with (1 := Rabs_triang _ _). rewrite Rabs_Ropp. lra.
Qed.

Lemma stored_near (X : double) : Rabs (stored32 X - real X) <= half_ulp32 X.
Proof. apply error_le_half_ulp. apply FLT_exp_valid. reflexivity. Qed.
