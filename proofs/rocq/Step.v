(* What the step of a vector and that of a matrix share, as the loops compute it in doubles:
   alpha, the divisor of U_hat, and the last subtraction. *)
From Flocq Require Import Core Plus_error Relative BinarySingleNaN.
Require Import Reals Lra Lia Psatz List Permutation.
Require Import Sums Trees Near Binary64 Mean.
Open Scope R_scope.

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
      assert (Z : sqrt (Rmax (real eps2 * real eps2) ms) = Rmax (real eps2) (sqrt ms))
        by (apply root_of_larger; lra).
      rewrite <- Z in L. assert (W : 0 <= Rmax (real eps2 * real eps2) ms). {
        apply Rle_trans with ms; auto. apply Rmax_r. }
      rewrite <- (sqrt_sqrt _ W). replace (-494)%Z with (-247 + -247)%Z by lia. rewrite bpow_plus.
      pose proof (two_pos (-247)). apply Rmult_le_compat; lra. }
    apply Rle_trans with (u * two (-494)); [|apply Rmult_le_compat_l; lra].
    unfold u. rewrite <- bpow_plus. apply Rle_trans with (2 * two (-1000)); [lra|].
    rewrite doubled. apply two_le. lia.
  - destruct (larger_of eps2 (root msX)) as (I & V); auto.
    assert (W : within (-247) 400 (Rmax (real eps2) (sqrt ms))). {
      apply within_rmax; auto; [tauto|]. rewrite <- root_of_two.
      apply sqrt_le_1; auto using bpow_ge_0.
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
    apply (near_mul u unit_small) with (l := 0%nat) (x' := / real d) (y' := / real d)
      (h := / real d) in N; try lra;
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
    destruct (quotient_of (root msU) d) as (H1 & V1);
      [exact G | lra | rewrite Rabs_pos_eq; assumption|].
    fold x in V1. destruct (larger_of Bone (root msU / d)) as (H2 & V2); [reflexivity | exact H1 |].
    unfold divisor, Divisor, divisor_K. refine (conj H2 (conj _ _)).
    + rewrite V2, V1, (Bone_correct 53 1024).
      destruct (Rle_dec 1 (x / real d)) as [C|C].
      * apply larger_rounded with (x / real d); auto; try lra; apply rnd_relative;
          apply Rle_trans with 1; auto; rewrite <- two_0; apply two_le; lia.
      * assert (R : Rabs (rnd (x / real d)) <= two 0). {
          apply rnd_within; [lia|]. rewrite two_0, Rabs_pos_eq; lra. }
        rewrite two_0 in R. apply Rabs_le_inv in R.
        replace (Rmax 1 (rnd (x / real d))) with (Rmax 1 (x / real d));
          [apply (near_le u unit_small) with (S (half (S k))) 0; auto; lra|].
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
  assert (AB : Rabs (real Z * real g) = real Z * Rabs (real g))
    by (rewrite Rabs_mult, (Rabs_pos_eq (real Z)); lra).
  assert (N : near k 0 (real Z * Rabs (real g)) (z * Rabs (real g))). {
    rewrite <- (Nat.add_0_r k). apply (near_product u unit_small); auto.
    apply near_refl, Rabs_pos. }
  rewrite Ab in B.
  assert (Below : real Z * Rabs (real g) <= two 901). {
    replace 901%Z with (900 + 1)%Z by lia. rewrite <- doubled.
    apply (near_below u) with k 0 (z * Rabs (real g)); auto. lra. }
  destruct (product_of Z g) as (FP & V); [exact FZ | exact F | |].
  { rewrite AB. apply Rle_trans with (1 := Below). apply two_le. lia. }
  pose proof (proj1 (proj2 N)) as P0. pose proof (proj1 (proj2 (proj2 N))) as P1.
  assert (Sign : Rabs (real (Z * g)%D - z * real g) =
    Rabs (rnd (real Z * Rabs (real g)) - z * Rabs (real g))). {
    rewrite V. unfold Rabs at 3 4. destruct (Rcase_abs (real g)); auto.
    replace (real Z * - real g) with (- (real Z * real g)) by ring.
    rewrite rnd_opposite, <- Rabs_Ropp. f_equal. ring. }
  assert (One : (1 + gamma (S k)) * least <= two (-1074)). {
    replace (two (-1074)) with (2 * least) by (unfold least; rewrite doubled; reflexivity). nra. }
  refine (conj FP (conj _ (conj _ _))).
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

Lemma less_near (X D : double) : finite X -> finite D -> Rabs (real X) <= two 902 ->
  Rabs (real D) <= two 902 ->
  finite (X - D)%D /\ Rabs (real (X - D)%D - (real X - real D)) <= u * Rabs (real (X - D)%D).
Proof.
  intros FX FD BX BD. destruct (difference_of X D) as (F & V); [exact FX | exact FD | |].
  - apply Rle_trans with (Rabs (real X) + Rabs (real D)); [|].
    + unfold Rminus. rewrite <- (Rabs_Ropp (real D)). apply Rabs_triang.
    + apply Rle_trans with (2 * two 902); [lra|]. rewrite doubled. apply two_le. lia.
  - split; auto. rewrite V.
    destruct (FLT_plus_error_N_round_ex radix2 (-1074) 53 (fun x => negb (Z.even x))
      (real X) (- real D) (generic_format_B2R _ _ X)
        (generic_format_opp _ _ _ (generic_format_B2R _ _ D)))
      as (e & B & E).
    change (round radix2 (FLT_exp (-1074) 53) ZnearestE) with rnd in E.
    change (real X + - real D) with (real X - real D) in E. rewrite E at 2.
    set (r := rnd (real X - real D)) in *.
    replace (r - r * (1 + e)) with (- (e * r)) by ring. rewrite Rabs_Ropp, Rabs_mult.
    apply Rmult_le_compat_r; [apply Rabs_pos|]. unfold u_ro in B.
    change (- (53) + 1)%Z with (-53 + 1)%Z in B. rewrite half_two in B. exact B.
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
    rewrite <- bpow_plus. rewrite half_two_0. apply two_le. lia. }
  apply alpha_sure with (a := least + least); [|exact F2 | exact E2 | | exact L | exact Rr | |].
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
  destruct (less_near X (Z * g)) as (F' & L); [exact FX | exact F | | exact B |].
  - apply Rle_trans with (1 := BX). apply two_le. lia.
  - split; auto. set (n := real (X - Z * g)) in *. set (s := real (Z * g)) in *.
    replace (n - (real X - z * real g)) with ((n - (real X - s)) - (s - z * real g)) by ring.
    apply Rle_trans with (1 := Rabs_triang _ _). rewrite Rabs_Ropp. lra.
Qed.

Lemma stored_after (X : double) x b :
  Rabs (real X - x) <= b -> Rabs (stored32 X - x) <= half_ulp32 X + b.
Proof.
  intros H. assert (S : Rabs (stored32 X - real X) <= half_ulp32 X).
  { apply error_le_half_ulp. apply FLT_exp_valid. reflexivity. }
  replace (stored32 X - x) with ((stored32 X - real X) + (real X - x)) by ring.
  apply Rle_trans with (1 := Rabs_triang _ _). lra.
Qed.
