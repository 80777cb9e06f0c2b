(* In which order a sum is formed: a tree whose leaves are its terms, added two by two. *)
Require Import Reals Lra Lia List Permutation.
Require Import Sums.
Open Scope R_scope.

Inductive tree A := leaf (a : A) | node (l r : tree A).
Arguments leaf {A}. Arguments node {A}.

Fixpoint leaves {A} (t : tree A) : list A :=
  match t with leaf a => a :: nil | node l r => leaves l ++ leaves r end.
Fixpoint depth {A} (t : tree A) : nat :=
  match t with leaf _ => 0 | node l r => S (Nat.max (depth l) (depth r)) end.

Fixpoint total {A} (f : A -> R) (l : list A) : R :=
  match l with nil => 0 | a :: l => f a + total f l end.

Lemma total_app {A} (f : A -> R) l l' : total f (l ++ l') = total f l + total f l'.
Proof. induction l as [|a l IH]; simpl; [lra|]. rewrite IH. lra. Qed.

Lemma total_nonneg {A} (f : A -> R) l : (forall a, In a l -> 0 <= f a) -> 0 <= total f l.
Proof.
  induction l as [|a l IH]; intros H; simpl; [lra|].
  pose proof (H a (or_introl eq_refl)).
  assert (0 <= total f l) by (apply IH; intros; apply H; simpl; auto).
  lra.
Qed.

Lemma total_permuted {A} (f : A -> R) l l' : Permutation l l' -> total f l = total f l'.
Proof. induction 1; simpl; lra. Qed.

Lemma total_range f n : total f (seq 0 n) = sum n f.
Proof.
  induction n as [|n IH]; [reflexivity|]. rewrite seq_S, total_app, IH. simpl. lra.
Qed.

Lemma total_map {A B} (f : B -> R) (g : A -> B) l : total f (map g l) = total (fun a => f (g a)) l.
Proof. induction l as [|a l IH]; simpl; [reflexivity|]. rewrite IH. reflexivity. Qed.

Lemma total_pairs f n m :
  total (fun p => f (fst p) (snd p)) (list_prod (seq 0 n) (seq 0 m)) =
  sum n (fun i => sum m (fun j => f i j)).
Proof.
  rewrite <- total_range. generalize (seq 0 n). induction l as [|i l IH]; simpl; [reflexivity|].
  rewrite total_app, total_map, IH. simpl. rewrite total_range. reflexivity.
Qed.

Lemma sum_one n f i : (forall i, (i < n)%nat -> 0 <= f i) -> (i < n)%nat -> f i <= sum n f.
Proof.
  induction n as [|n IH]; intros P H; [lia|]. simpl.
  assert (0 <= sum n f) by (apply sum_nonneg; auto). pose proof (P n ltac:(lia)).
  destruct (Nat.eq_dec i n) as [->|E]; [lra|].
  assert (f i <= sum n f) by (apply IH; auto; lia). lra.
Qed.

Lemma total_one {A} (f : A -> R) l a : (forall b, 0 <= f b) -> In a l -> f a <= total f l.
Proof.
  intros P. induction l as [|b l IH]; intros H; simpl in *; [easy|].
  assert (0 <= total f l) by (apply total_nonneg; auto). specialize (P b) as Q.
  destruct H as [->|H]; [lra|]. specialize (IH H). lra.
Qed.
