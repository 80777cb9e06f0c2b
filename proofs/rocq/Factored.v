(* V = R C / sum R: its sums, and that no other matrix of rank one is as near to the average W. *)
Require Import Reals Lra Lia Psatz.
Require Import Sums.
Open Scope R_scope.

Section Factored.
Variables (n m : nat). Hypothesis Hn : (0<n)%nat. Hypothesis Hm : (0<m)%nat.
Variable W : nat -> nat -> R. Hypothesis Wpos : forall i j, (i<n)%nat -> (j<m)%nat -> 0 < W i j.
Definition Row i := sum m (fun j => W i j).
Definition Col j := sum n (fun i => W i j).
Definition S_R := sum n Row.
Definition V i j := Row i * Col j / S_R.

Lemma Row_pos i : (i<n)%nat -> 0 < Row i. Proof. intros; apply sum_pos; auto. Qed.
Lemma Col_pos j : (j<m)%nat -> 0 < Col j. Proof. intros; apply sum_pos; auto. Qed.
Lemma S_R_pos : 0 < S_R. Proof. apply sum_pos; auto using Row_pos. Qed.
(* transposition symmetry: sum of rows = sum of columns *)
Theorem S_R_cols : S_R = sum m Col. Proof. unfold S_R, Row, Col. apply sum_swap. Qed.
Theorem V_pos i j : (i<n)%nat -> (j<m)%nat -> 0 < V i j.
Proof. intros. unfold V. apply Rdiv_lt_0_compat; auto using S_R_pos. apply Rmult_lt_0_compat; auto using Row_pos, Col_pos. Qed.
Theorem V_row i : sum m (fun j => V i j) = Row i.
Proof. unfold V. rewrite (sum_ext m _ (fun j => (Row i / S_R) * Col j)) by (intros; field; pose proof S_R_pos; lra).
 rewrite sum_scal, <- S_R_cols. field. pose proof S_R_pos; lra. Qed.
Theorem V_col j : sum n (fun i => V i j) = Col j.
Proof. unfold V. rewrite (sum_ext n _ (fun i => (Col j / S_R) * Row i)) by (intros; field; pose proof S_R_pos; lra).
 rewrite sum_scal. fold S_R. field. pose proof S_R_pos; lra. Qed.

(* generalised Kullback-Leibler divergence *)
Definition idiv (A B: nat->nat->R) := sum n (fun i => sum m (fun j => A i j * (ln (A i j) - ln (B i j)) - A i j + B i j)).
Lemma gibbs x y : 0<x -> 0<y -> 0 <= x*(ln x - ln y) - x + y.
Proof. intros Hx Hy. assert (H: ln (y/x) <= y/x - 1).
 { assert (0 < y/x) by (apply Rdiv_lt_0_compat; auto). pose proof (exp_ineq1_le (ln (y/x))) as E. rewrite exp_ln in E by auto. lra. }
 unfold Rdiv in H at 1. rewrite ln_mult, ln_Rinv in H; auto using Rinv_0_lt_compat.
 apply (Rmult_le_compat_l x) in H; [|lra]. replace (x*(y/x-1)) with (y-x) in H by (field; lra). nra. Qed.
Lemma gibbs_eq x y : 0<x -> 0<y -> x*(ln x - ln y) - x + y = 0 -> x = y.
Proof. intros Hx Hy H. destruct (Req_dec (ln (y/x)) 0) as [E|E].
 - assert (y/x = 1) by (apply ln_inv; [apply Rdiv_lt_0_compat; auto|lra|rewrite ln_1; auto]).
   apply (Rmult_eq_compat_r x) in H0. unfold Rdiv in H0. rewrite Rmult_assoc, Rinv_l in H0; lra.
 - exfalso. pose proof (exp_ineq1 _ E) as H1. rewrite exp_ln in H1 by (apply Rdiv_lt_0_compat; auto).
   unfold Rdiv in H1. rewrite ln_mult, ln_Rinv in H1; auto using Rinv_0_lt_compat.
   apply (Rmult_lt_compat_r x) in H1; auto. rewrite Rmult_assoc, Rinv_l in H1; nra. Qed.

Section Opt.
Variables (p q : nat->R). Hypothesis pp : forall i, (i<n)%nat -> 0 < p i. Hypothesis qp : forall j, (j<m)%nat -> 0 < q j.
Definition P i j := p i * q j.
(* PYTHAGOREAN IDENTITY: d(W|P) = d(W|V) + d(V|P) for every positive rank-one P *)
Theorem pythagoras : idiv W P = idiv W V + idiv V P.
Proof.
 unfold idiv. rewrite <- sum_plus.
 set (a := fun i => ln (Row i) - ln S_R - ln (p i)). set (c := fun j => ln (Col j) - ln (q j)).
 assert (E: forall i j, (i<n)%nat -> (j<m)%nat -> ln (V i j) - ln (P i j) = a i + c j).
 { intros i j Hi Hj. unfold V, P, a, c, Rdiv. pose proof (Row_pos i Hi). pose proof (Col_pos j Hj). pose proof S_R_pos. pose proof (pp i Hi). pose proof (qp j Hj).
   rewrite !ln_mult, ln_Rinv; auto using Rinv_0_lt_compat. ring. apply Rmult_lt_0_compat; auto. }
 assert (D: sum n (fun i => sum m (fun j => W i j * (a i + c j))) = sum n (fun i => sum m (fun j => V i j * (a i + c j)))).
 { assert (F: forall A, sum n (fun i => sum m (fun j => A i j * (a i + c j))) =
      sum n (fun i => sum m (fun j => A i j) * a i) + sum m (fun j => sum n (fun i => A i j) * c j)).
   { intros A. rewrite (sum_ext m (fun j => sum n _ * c j) (fun j => sum n (fun i => A i j * c j))) by (intros; symmetry; apply sum_scal_r).
     rewrite <- (sum_swap n m (fun i j => A i j * c j)), <- sum_plus. apply sum_ext; intros.
     rewrite <- sum_scal_r, <- sum_plus. apply sum_ext; intros; ring. }
   rewrite !F. f_equal; apply sum_ext; intros; [rewrite V_row|rewrite V_col]; reflexivity. }
 apply Rminus_diag_uniq. rewrite <- sum_minus.
 transitivity (sum n (fun i => sum m (fun j => W i j * (a i + c j))) - sum n (fun i => sum m (fun j => V i j * (a i + c j)))); [|lra].
 rewrite <- sum_minus. apply sum_ext; intros i Hi. rewrite <- sum_plus, <- !sum_minus. apply sum_ext; intros j Hj.
 rewrite <- (E i j Hi Hj). ring. Qed.
Lemma idiv_nonneg A B : (forall i j, (i<n)%nat->(j<m)%nat-> 0<A i j /\ 0<B i j) -> 0 <= idiv A B.
Proof. intros H. apply sum_nonneg; intros. apply sum_nonneg; intros. apply gibbs; apply H; auto. Qed.
(* V is the global minimiser *)
Theorem V_optimal : idiv W V <= idiv W P.
Proof. rewrite pythagoras. assert (0 <= idiv V P). apply idiv_nonneg; intros; split; auto using V_pos. apply Rmult_lt_0_compat; auto. lra. Qed.
(* and the unique one *)
Theorem V_unique : idiv W P = idiv W V -> forall i j, (i<n)%nat -> (j<m)%nat -> P i j = V i j.
Proof. intros H i j Hi Hj. assert (Z: idiv V P = 0) by (rewrite pythagoras in H; lra).
 assert (PP: forall i j, (i<n)%nat->(j<m)%nat-> 0 < P i j) by (intros; apply Rmult_lt_0_compat; auto).
 unfold idiv in Z. pose proof (sum_zero_each n _ (fun i Hi => sum_nonneg m _ (fun j Hj => gibbs _ _ (V_pos i j Hi Hj) (PP i j Hi Hj))) Z i Hi) as Z1. simpl in Z1.
 pose proof (sum_zero_each m _ (fun j Hj => gibbs _ _ (V_pos i j Hi Hj) (PP i j Hi Hj)) Z1 j Hj) as Z2.
 symmetry. apply gibbs_eq; auto using V_pos. Qed.
End Opt.

(* exact on rank one *)
Theorem V_rank1 u v : (forall i j, (i<n)%nat->(j<m)%nat-> W i j = u i * v j) -> forall i j, (i<n)%nat->(j<m)%nat-> V i j = W i j.
Proof. intros H i j Hi Hj. pose proof S_R_pos.
 assert (A: forall i, (i<n)%nat -> Row i = u i * sum m v). { intros. unfold Row. rewrite <- sum_scal. apply sum_ext; intros; auto. }
 assert (B: forall j, (j<m)%nat -> Col j = sum n u * v j). { intros. unfold Col. rewrite <- sum_scal_r. apply sum_ext; intros; auto. }
 assert (D: S_R = sum n u * sum m v). { unfold S_R. rewrite <- sum_scal_r. apply sum_ext; intros; auto. }
 unfold V. rewrite A, B, H, D by auto. rewrite D in H0. field. split; intro Z; rewrite Z in H0; lra. Qed.
End Factored.
