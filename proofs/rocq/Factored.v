(* V = R C / S_R: its sums, and that no other matrix of rank one is as near to the average W. *)
Require Import Reals Lra Lia.
Require Import Sums.
Open Scope R_scope.

Section Factored.
Variables (n m : nat) (W : nat -> nat -> R).
Hypothesis rows : (0 < n)%nat.
Hypothesis columns : (0 < m)%nat.
Hypothesis W_pos : forall i j, (i < n)%nat -> (j < m)%nat -> 0 < W i j.

(* The letter R is the type of the reals. *)
Definition Row i := sum m (fun j => W i j).
Definition Col j := sum n (fun i => W i j).
Definition S_R := sum n Row.
Definition V i j := Row i * Col j / S_R.

Lemma Row_pos i : (i < n)%nat -> 0 < Row i.
Proof. intros. apply sum_pos; auto. Qed.

Lemma Col_pos j : (j < m)%nat -> 0 < Col j.
Proof. intros. apply sum_pos; auto. Qed.

Lemma S_R_pos : 0 < S_R.
Proof. apply sum_pos; auto using Row_pos. Qed.

Theorem S_R_cols : S_R = sum m Col.
Proof. apply sum_swap. Qed.

Theorem V_pos i j : (i < n)%nat -> (j < m)%nat -> 0 < V i j.
Proof.
  intros. apply Rdiv_lt_0_compat; auto using S_R_pos.
  apply Rmult_lt_0_compat; auto using Row_pos, Col_pos.
Qed.

Theorem V_row i : sum m (fun j => V i j) = Row i.
Proof.
  pose proof S_R_pos.
  rewrite (sum_ext m _ (fun j => Row i / S_R * Col j)) by (intros; unfold V; field; lra).
  rewrite sum_scal, <- S_R_cols. field. lra.
Qed.

Theorem V_col j : sum n (fun i => V i j) = Col j.
Proof.
  pose proof S_R_pos.
  rewrite (sum_ext n _ (fun i => Col j / S_R * Row i)) by (intros; unfold V; field; lra).
  rewrite sum_scal. fold S_R. field. lra.
Qed.

(* The generalized Kullback-Leibler divergence; of two numbers first. *)

Definition divergence x y := x * (ln x - ln y) - x + y.
Definition D A B := sum n (fun i => sum m (fun j => divergence (A i j) (B i j))).

Lemma divergence_pos x y : 0 < x -> 0 < y -> x <> y -> 0 < divergence x y.
Proof.
  intros X Y Different. pose proof (Rinv_0_lt_compat x X).
  assert (Z : ln y - ln x <> 0) by (intros E; apply Different; symmetry; apply ln_inv; lra).
  (* y / x = exp z > 1 + z, for z = ln y - ln x. *)
  pose proof (exp_ineq1 _ Z) as E.
  unfold Rminus in E at 2. rewrite exp_plus, exp_Ropp, !exp_ln in E by assumption.
  unfold divergence. apply (Rmult_lt_compat_l x) in E; [|assumption].
  replace (x * (y * / x)) with y in E by (field; lra). lra.
Qed.

Lemma divergence_self x : divergence x x = 0.
Proof. unfold divergence. ring. Qed.

Lemma divergence_nonneg x y : 0 < x -> 0 < y -> 0 <= divergence x y.
Proof.
  intros. destruct (Req_dec x y) as [->|Different].
  - rewrite divergence_self. lra.
  - left. apply divergence_pos; assumption.
Qed.

Lemma divergence_zero x y : 0 < x -> 0 < y -> divergence x y = 0 -> x = y.
Proof.
  intros X Y Zero. destruct (Req_dec x y) as [|Different]; [assumption|].
  pose proof (divergence_pos x y X Y Different). lra.
Qed.

Lemma weighted A a b :
  sum n (fun i => sum m (fun j => A i j * (a i + b j))) =
  sum n (fun i => sum m (A i) * a i) + sum m (fun j => sum n (fun i => A i j) * b j).
Proof.
  rewrite (sum_ext m _ (fun j => sum n (fun i => A i j * b j)))
    by (intros; symmetry; apply sum_scal_r).
  rewrite <- (sum_swap n m (fun i j => A i j * b j)), <- sum_plus. apply sum_ext. intros.
  rewrite <- sum_scal_r, <- sum_plus. apply sum_ext. intros. ring.
Qed.

Section RankOne.
Variables (p q : nat -> R).
Hypothesis p_pos : forall i, (i < n)%nat -> 0 < p i.
Hypothesis q_pos : forall j, (j < m)%nat -> 0 < q j.
Definition P i j := p i * q j.

Lemma P_pos i j : (i < n)%nat -> (j < m)%nat -> 0 < P i j.
Proof. intros. apply Rmult_lt_0_compat; auto. Qed.

(* W and V have the same sums over rows and over columns, and ln V - ln P is a sum of what depends
   on the row alone and what depends on the column alone: both weigh it alike. *)
Theorem pythagoras : D W P = D W V + D V P.
Proof.
  set (a := fun i => ln (Row i) - ln S_R - ln (p i)).
  set (b := fun j => ln (Col j) - ln (q j)).
  assert (Apart : forall i j, (i < n)%nat -> (j < m)%nat -> ln (V i j) - ln (P i j) = a i + b j). {
    intros i j Hi Hj.
    pose proof (Row_pos i Hi). pose proof (Col_pos j Hj). pose proof S_R_pos.
    pose proof (Rinv_0_lt_compat S_R S_R_pos).
    unfold V, P, Rdiv, a, b. rewrite !ln_mult, ln_Rinv; auto using Rmult_lt_0_compat. ring. }
  assert (Alike : sum n (fun i => sum m (fun j => (W i j - V i j) * (a i + b j))) = 0). {
    rewrite (weighted (fun i j => W i j - V i j)).
    rewrite (sum_ext n _ (fun _ => 0)), (sum_ext m _ (fun _ => 0)), !sum_const; [ring| |].
    - intros j _. rewrite sum_minus, V_col, Rminus_diag_eq by reflexivity. apply Rmult_0_l.
    - intros i _. rewrite sum_minus, V_row, Rminus_diag_eq by reflexivity. apply Rmult_0_l. }
  apply Rminus_diag_uniq. rewrite <- Alike. unfold D.
  rewrite <- sum_plus, <- sum_minus. apply sum_ext. intros i Hi.
  rewrite <- sum_plus, <- sum_minus. apply sum_ext. intros j Hj.
  rewrite <- Apart by assumption. unfold divergence. ring.
Qed.

Lemma V_P_nonneg i j : (i < n)%nat -> (j < m)%nat -> 0 <= divergence (V i j) (P i j).
Proof. intros. apply divergence_nonneg; auto using V_pos, P_pos. Qed.

Theorem V_optimal : D W V <= D W P.
Proof.
  rewrite pythagoras.
  assert (0 <= D V P) by (do 2 (apply sum_nonneg; intros); apply V_P_nonneg; assumption).
  lra.
Qed.

Theorem V_unique : D W P = D W V -> forall i j, (i < n)%nat -> (j < m)%nat -> P i j = V i j.
Proof.
  intros Same i j Hi Hj. rewrite pythagoras in Same. assert (Zero : D V P = 0) by lra.
  apply sum_zero_each with (i := i) in Zero; auto.
  - apply sum_zero_each with (i := j) in Zero; auto using V_P_nonneg.
    symmetry. apply divergence_zero; [apply V_pos | apply P_pos | apply Zero]; assumption.
  - intros. apply sum_nonneg. auto using V_P_nonneg.
Qed.
End RankOne.

Theorem V_rank_one u v :
  (forall i j, (i < n)%nat -> (j < m)%nat -> W i j = u i * v j) ->
  forall i j, (i < n)%nat -> (j < m)%nat -> V i j = W i j.
Proof.
  intros Given i j Hi Hj. pose proof S_R_pos as Positive.
  assert (Rows : forall i, (i < n)%nat -> Row i = u i * sum m v)
    by (intros; rewrite <- sum_scal; apply sum_ext; auto).
  assert (Cols : forall j, (j < m)%nat -> Col j = sum n u * v j)
    by (intros; rewrite <- sum_scal_r; apply sum_ext; auto).
  assert (Total : S_R = sum n u * sum m v)
    by (rewrite <- sum_scal_r; apply sum_ext; auto).
  unfold V. rewrite Rows, Cols, Given, Total by assumption. rewrite Total in Positive.
  field. split; intros Zero; rewrite Zero in Positive; lra.
Qed.
End Factored.
