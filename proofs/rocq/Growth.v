(* How far X moves, and how large it may become, in any number of steps. *)
Require Import Reals Lra Lia.
Require Import Sums Clipping.
Open Scope R_scope.

Lemma cauchy_schwarz n x y :
  sum n (fun i => x i * y i) <=
    sqrt (sum n (fun i => x i ^ 2)) * sqrt (sum n (fun i => y i ^ 2)).
Proof.
  assert (Squares : forall z, 0 <= sum n (fun i => z i ^ 2))
    by (intros; apply sum_nonneg; intros; apply pow2_ge_0).
  set (a := sqrt (sum n (fun i => x i ^ 2))). set (b := sqrt (sum n (fun i => y i ^ 2))).
  assert (A : sum n (fun i => x i ^ 2) = a ^ 2) by (unfold a; rewrite pow2_sqrt; auto).
  assert (B : sum n (fun i => y i ^ 2) = b ^ 2) by (unfold b; rewrite pow2_sqrt; auto).
  assert (0 <= a) by apply sqrt_pos. assert (0 <= b) by apply sqrt_pos. clearbody a b.
  assert (Vanishes : forall z, sum n (fun i => z i ^ 2) = 0 -> forall i, (i < n)%nat -> z i = 0). {
    intros z Zero i Hi. apply sum_zero_each with (i := i) in Zero; auto.
    - destruct (Req_dec (z i) 0) as [|N]; [assumption|].
      apply pow_nonzero with (n := 2%nat) in N. contradiction.
    - intros. apply pow2_ge_0. }
  destruct (Req_dec a 0) as [->|A0]; [|destruct (Req_dec b 0) as [->|B0]].
  - rewrite (sum_ext n _ (fun _ => 0)), sum_const; [lra|].
    intros. rewrite (Vanishes x); auto; [lra|]. rewrite A. ring.
  - rewrite (sum_ext n _ (fun _ => 0)), sum_const; [lra|].
    intros. rewrite (Vanishes y); auto; [lra|]. rewrite B. ring.
  - apply (Rmult_le_reg_l (2 * (a * b))); [nra|].
    apply Rle_trans with (sum n (fun i => b ^ 2 * x i ^ 2 + a ^ 2 * y i ^ 2)).
    + rewrite <- sum_scal. apply sum_le. intros i _.
      pose proof (pow2_ge_0 (b * x i - a * y i)). nra.
    + rewrite sum_plus, !sum_scal, A, B. lra.
Qed.

(* The mean of x y is at most RMS(X) RMS(Y). *)
Lemma mean_product n x y :
  (0 < n)%nat -> sum n (fun i => x i * y i) / INR n <= RMS n x * RMS n y.
Proof.
  intros Some. apply lt_INR in Some as N. simpl in N.
  unfold RMS, mean_square. rewrite !sqrt_div_alt by assumption.
  pose proof (sqrt_lt_R0 _ N). pose proof (sqrt_sqrt (INR n) ltac:(lra)) as Root.
  apply (Rmult_le_reg_r (INR n)); [assumption|].
  apply Rle_trans with (sum n (fun i => x i * y i)); [right; field; lra|].
  apply Rle_trans with (1 := cauchy_schwarz n x y). right. rewrite <- Root at 3. field. lra.
Qed.

Theorem triangle n x y :
  (0 < n)%nat -> RMS n (fun i => x i + y i) <= RMS n x + RMS n y.
Proof.
  intros Some. pose proof (RMS_nonneg n x). pose proof (RMS_nonneg n y).
  assert (Square : mean_square n (fun i => x i + y i) <= (RMS n x + RMS n y) ^ 2). {
    replace ((RMS n x + RMS n y) ^ 2)
      with (RMS n x ^ 2 + 2 * (RMS n x * RMS n y) + RMS n y ^ 2) by ring.
    pose proof (mean_product n x y Some). unfold RMS at 1 4.
    rewrite !pow2_sqrt by auto using mean_square_nonneg. unfold mean_square, Rdiv in *.
    rewrite (sum_ext n _ (fun i => x i ^ 2 + 2 * (x i * y i) + y i ^ 2)) by (intros; ring).
    rewrite !sum_plus, sum_scal. lra. }
  apply sqrt_le_1_alt in Square. fold (RMS n (fun i => x i + y i)) in Square.
  rewrite sqrt_pow2 in Square; lra.
Qed.

Theorem change n x y :
  (0 < n)%nat -> Rabs (RMS n x - RMS n y) <= RMS n (fun i => x i - y i).
Proof.
  intros Some.
  pose proof (triangle n (fun i => x i - y i) y Some) as Up.
  pose proof (triangle n (fun i => -1 * (x i - y i)) x Some) as Down.
  rewrite RMS_scaled, Rabs_left in Down by (auto; lra).
  rewrite (RMS_ext n _ x) in Up by (intros; ring).
  rewrite (RMS_ext n _ y) in Down by (intros; ring).
  unfold Rabs. destruct (Rcase_abs _); lra.
Qed.

Section Course.
Variables (n : nat) (d epsilon_2 : R) (rho : nat -> R) (X_0 : nat -> R) (U : nat -> nat -> R).
Hypothesis entries : (0 < n)%nat.
Hypothesis d_pos : 0 < d.
Hypothesis rho_nonneg : forall t, 0 <= rho t.

Definition clipped u i := u i / Rmax 1 (RMS n u / d).
Fixpoint X t i :=
  match t with
  | O => X_0 i
  | S k => X k i - rho t * Rmax epsilon_2 (RMS n (X k)) * clipped (U t) i
  end.
Definition size t := Rmax epsilon_2 (RMS n (X t)).
Fixpoint factor t := match t with O => 1 | S k => factor k * (1 + d * rho t) end.

Lemma size_nonneg t : 0 <= size t.
Proof.
  apply Rle_trans with (RMS n (X t)); [apply RMS_nonneg | apply Rmax_r].
Qed.

Theorem step_size t : RMS n (fun i => X (S t) i - X t i) <= d * rho (S t) * size t.
Proof.
  pose proof (size_nonneg t) as Size. pose proof (rho_nonneg (S t)).
  rewrite (RMS_ext n _ (fun i => - (rho (S t) * size t) * clipped (U (S t)) i))
    by (intros; unfold size; simpl; ring).
  rewrite RMS_scaled, Rabs_Ropp, Rabs_pos_eq by (auto; apply Rmult_le_pos; assumption).
  assert (Clipped : RMS n (clipped (U (S t))) <= d)
    by (unfold clipped; rewrite clip_rms by assumption; apply Rmin_r).
  apply (Rmult_le_compat_l (rho (S t) * size t)) in Clipped; [lra|].
  apply Rmult_le_pos; assumption.
Qed.

Theorem growth_step t : size (S t) <= (1 + d * rho (S t)) * size t.
Proof.
  pose proof (step_size t) as Step. pose proof (size_nonneg t). pose proof (rho_nonneg (S t)).
  pose proof (change n (X (S t)) (X t) entries) as Change.
  pose proof (Rle_abs (RMS n (X (S t)) - RMS n (X t))).
  assert (0 <= d * rho (S t)) by nra.
  apply Rmax_lub.
  - pose proof (Rmax_l epsilon_2 (RMS n (X t))). fold (size t) in *. nra.
  - pose proof (Rmax_r epsilon_2 (RMS n (X t))). fold (size t) in *. nra.
Qed.

Theorem growth t : size t <= factor t * size 0.
Proof.
  induction t as [|t IH]; [simpl; lra|].
  apply Rle_trans with (1 := growth_step t). simpl.
  replace (factor t * (1 + d * rho (S t)) * size 0)
    with ((1 + d * rho (S t)) * (factor t * size 0)) by ring.
  pose proof (rho_nonneg (S t)). apply Rmult_le_compat_l; [nra | assumption].
Qed.
End Course.

Definition paper_rho t := Rmin (/ 100) (/ sqrt (INR t)).

Theorem sum_of_steps t : sum t (fun s => paper_rho (S s)) <= 2 * sqrt (INR t).
Proof.
  induction t as [|t IH]; [simpl; rewrite sqrt_0; lra|]. simpl sum.
  assert (Step : paper_rho (S t) <= 2 * (sqrt (INR (S t)) - sqrt (INR t))); [|lra].
  apply Rle_trans with (1 := Rmin_r _ _). rewrite S_INR. pose proof (pos_INR t) as T.
  pose proof (sqrt_sqrt _ T). pose proof (sqrt_sqrt (INR t + 1) ltac:(lra)).
  pose proof (sqrt_pos (INR t)). pose proof (sqrt_lt_R0 (INR t + 1) ltac:(lra)).
  set (a := sqrt (INR t)) in *. set (b := sqrt (INR t + 1)) in *.
  apply (Rmult_le_reg_r b); [assumption|]. rewrite Rinv_l by lra. nra.
Qed.

Lemma paper_rho_nonneg t : 0 <= paper_rho t.
Proof.
  apply Rmin_glb; [lra|].
  destruct (Req_dec (sqrt (INR t)) 0) as [->|N]; [rewrite Rinv_0; lra|].
  left. apply Rinv_0_lt_compat. pose proof (sqrt_pos (INR t)). lra.
Qed.

Lemma factor_pos d rho t : 0 <= d -> (forall s, 0 <= rho s) -> 0 < factor d rho t.
Proof.
  intros D Rho. induction t as [|t IH]; simpl; [lra|].
  pose proof (Rho (S t)). apply Rmult_lt_0_compat; nra.
Qed.

Lemma exp_le x y : x <= y -> exp x <= exp y.
Proof. intros [Less | ->]; [left; apply exp_increasing; assumption | lra]. Qed.

(* As 1 + z <= exp z. *)
Lemma factor_exp d rho t : 0 <= d -> (forall s, 0 <= rho s) ->
  factor d rho t <= exp (d * sum t (fun s => rho (S s))).
Proof.
  intros D Rho. induction t as [|t IH]; simpl; [rewrite Rmult_0_r, exp_0; lra|].
  rewrite (Rmult_plus_distr_l d), exp_plus. pose proof (Rho (S t)).
  apply Rmult_le_compat; [left; apply factor_pos; assumption | nra | assumption |].
  apply exp_ineq1_le.
Qed.

Theorem growth_paper n d epsilon_2 X_0 U t :
  (0 < n)%nat -> 0 < d ->
  size n d epsilon_2 paper_rho X_0 U t
    <= exp (2 * d * sqrt (INR t)) * size n d epsilon_2 paper_rho X_0 U 0.
Proof.
  intros Some D.
  pose proof (growth n d epsilon_2 paper_rho X_0 U Some D paper_rho_nonneg t) as Grown.
  pose proof (factor_exp d paper_rho t (Rlt_le _ _ D) paper_rho_nonneg) as Factor.
  assert (Exp : exp (d * sum t (fun s => paper_rho (S s))) <= exp (2 * d * sqrt (INR t)))
    by (apply exp_le; pose proof (sum_of_steps t); nra).
  pose proof (size_nonneg n d epsilon_2 paper_rho X_0 U 0) as Start.
  set (start := size n d epsilon_2 paper_rho X_0 U 0) in *.
  apply Rle_trans with (1 := Grown). apply Rmult_le_compat_r; lra.
Qed.
