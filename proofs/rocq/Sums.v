(* Finite sums of reals, and what their linearity and positivity give. *)
Require Import Reals Lra Lia Psatz.
Open Scope R_scope.

Fixpoint sum (n:nat) (f:nat->R) : R := match n with O => 0 | S k => sum k f + f k end.
Lemma sum_ext n f g : (forall i, (i<n)%nat -> f i = g i) -> sum n f = sum n g.
Proof. induction n; intros H; simpl; [easy|]. rewrite IHn, H; auto with arith. Qed.
Lemma sum_plus n f g : sum n (fun i => f i + g i) = sum n f + sum n g.
Proof. induction n; simpl; [lra|]. rewrite IHn; lra. Qed.
Lemma sum_minus n f g : sum n (fun i => f i - g i) = sum n f - sum n g.
Proof. induction n; simpl; [lra|]. rewrite IHn; lra. Qed.
Lemma sum_scal n c f : sum n (fun i => c * f i) = c * sum n f.
Proof. induction n; simpl; [lra|]. rewrite IHn; lra. Qed.
Lemma sum_scal_r n c f : sum n (fun i => f i * c) = sum n f * c.
Proof. induction n; simpl; [lra|]. rewrite IHn; lra. Qed.
Lemma sum_const n c : sum n (fun _ => c) = INR n * c.
Proof. induction n; [simpl; lra|]. rewrite S_INR; simpl; rewrite IHn; lra. Qed.
Lemma sum_le n f g : (forall i, (i<n)%nat -> f i <= g i) -> sum n f <= sum n g.
Proof. induction n; intros H; simpl; [lra|]. specialize (IHn ltac:(auto with arith)). specialize (H n ltac:(lia)). lra. Qed.
Lemma sum_nonneg n f : (forall i, (i<n)%nat -> 0 <= f i) -> 0 <= sum n f.
Proof. intros H. replace 0 with (sum n (fun _ => 0)). apply sum_le; auto. rewrite sum_const; lra. Qed.
Lemma sum_pos n f : (0<n)%nat -> (forall i, (i<n)%nat -> 0 < f i) -> 0 < sum n f.
Proof. destruct n; [lia|]. intros _ H. simpl. assert (0 <= sum n f) by (apply sum_nonneg; intros; left; auto with arith). specialize (H n ltac:(lia)). lra. Qed.
Lemma sum_swap n m f : sum n (fun i => sum m (fun j => f i j)) = sum m (fun j => sum n (fun i => f i j)).
Proof. induction n; simpl. rewrite sum_const; lra. rewrite IHn, <- sum_plus. reflexivity. Qed.
Lemma sum_zero_each n f : (forall i, (i<n)%nat -> 0 <= f i) -> sum n f = 0 -> forall i, (i<n)%nat -> f i = 0.
Proof. induction n; intros H Hs i Hi; [lia|]. simpl in Hs.
 assert (0 <= sum n f) by (apply sum_nonneg; auto with arith). pose proof (H n ltac:(lia)).
 destruct (Nat.eq_dec i n); [subst; lra|]. apply IHn; [auto with arith|lra|lia]. Qed.
