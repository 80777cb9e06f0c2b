(* A change of the order of rows and of columns: nothing but the order changes. *)
Require Import Reals Lra Lia.
Require Import Sums.
Open Scope R_scope.

(* Of the numbers below n, with its inverse. *)
Definition permutation n (pi inverse : nat -> nat) :=
  forall i, (i < n)%nat ->
    (pi i < n)%nat /\ (inverse i < n)%nat /\ inverse (pi i) = i /\ pi (inverse i) = i.

Lemma sum_at n k f : (k < n)%nat -> sum n (fun i => if Nat.eqb i k then f i else 0) = f k.
Proof.
  induction n as [|n IH]; intros Below; [lia|]. simpl.
  destruct (Nat.eqb_spec n k) as [->|Other].
  - rewrite (sum_ext k _ (fun _ => 0)), sum_const; [lra|].
    intros i Before. destruct (Nat.eqb_spec i k); [lia | reflexivity].
  - rewrite IH by lia. lra.
Qed.

(* f (pi i) is the sum over k of f k where k is pi i, and i is then the inverse of k. *)
Theorem sum_permuted n (pi inverse : nat -> nat) f :
  permutation n pi inverse -> sum n (fun i => f (pi i)) = sum n f.
Proof.
  intros Permutation.
  transitivity (sum n (fun i => sum n (fun k => if Nat.eqb k (pi i) then f k else 0))).
  - apply sum_ext. intros i Hi. destruct (Permutation i Hi) as (Hpi & _).
    symmetry. apply sum_at. assumption.
  - rewrite sum_swap. apply sum_ext. intros k Hk.
    destruct (Permutation k Hk) as (_ & Hinverse & _).
    transitivity (sum n (fun i => if Nat.eqb i (inverse k) then f k else 0));
      [|apply (sum_at n (inverse k) (fun _ => f k)); assumption].
    apply sum_ext. intros i Hi.
    destruct (Permutation i Hi) as (_ & _ & Back & _).
    destruct (Permutation k Hk) as (_ & _ & _ & Forth).
    destruct (Nat.eqb_spec k (pi i)), (Nat.eqb_spec i (inverse k)); congruence.
Qed.

Section Course.
Variables (n m : nat) (beta_2 rho : nat -> R) (epsilon_1 epsilon_2 d : R).

Definition RMS A := sqrt (sum n (fun i => sum m (fun j => A i j ^ 2)) / (INR n * INR m)).

Section Step.
Variables (R_0 C_0 : nat -> R) (X_0 : nat -> nat -> R) (G : nat -> nat -> nat -> R).

(* The letter R is the type of the reals. *)
Fixpoint Row t i :=
  match t with
  | O => R_0 i
  | S k => beta_2 t * Row k i + (1 - beta_2 t) * sum m (fun j => G t i j ^ 2 + epsilon_1)
  end.
Fixpoint Col t j :=
  match t with
  | O => C_0 j
  | S k => beta_2 t * Col k j + (1 - beta_2 t) * sum n (fun i => G t i j ^ 2 + epsilon_1)
  end.
Definition V t i j := Row t i * Col t j / sum n (Row t).
Definition U t i j := G t i j / sqrt (V t i j).
Fixpoint X t i j :=
  match t with
  | O => X_0 i j
  | S k => X k i j - Rmax epsilon_2 (RMS (X k)) * rho t * (U t i j / Rmax 1 (RMS (U t) / d))
  end.
End Step.

Variables (pi pi' sigma sigma' : nat -> nat).

Definition in_order (A : nat -> nat -> R) i j := A (pi i) (sigma j).

Section Permuted.
Variables (R_0 C_0 : nat -> R) (X_0 : nat -> nat -> R) (G : nat -> nat -> nat -> R).
Hypothesis of_rows : permutation n pi pi'.
Hypothesis of_columns : permutation m sigma sigma'.
Notation R_0' := (fun i => R_0 (pi i)).
Notation C_0' := (fun j => C_0 (sigma j)).
Notation G' := (fun t => in_order (G t)).

Lemma Row_permuted t i : Row R_0' G' t i = Row R_0 G t (pi i).
Proof.
  induction t as [|t IH]; [reflexivity|]. simpl. rewrite IH. do 2 f_equal.
  apply (sum_permuted m sigma sigma' (fun j => G (S t) (pi i) j ^ 2 + epsilon_1)). assumption.
Qed.

Lemma Col_permuted t j : Col C_0' G' t j = Col C_0 G t (sigma j).
Proof.
  induction t as [|t IH]; [reflexivity|]. simpl. rewrite IH. do 2 f_equal.
  apply (sum_permuted n pi pi' (fun i => G (S t) i (sigma j) ^ 2 + epsilon_1)). assumption.
Qed.

Lemma V_in_order t i j : V R_0' C_0' G' t i j = in_order (V R_0 C_0 G t) i j.
Proof.
  unfold V, in_order. rewrite Row_permuted, Col_permuted. f_equal.
  rewrite <- (sum_permuted n pi pi' (Row R_0 G t)) by assumption.
  apply sum_ext. intros. apply Row_permuted.
Qed.

Lemma U_in_order t i j : U R_0' C_0' G' t i j = in_order (U R_0 C_0 G t) i j.
Proof. unfold U. rewrite V_in_order. reflexivity. Qed.

Lemma RMS_in_order A B : (forall i j, B i j = in_order A i j) -> RMS B = RMS A.
Proof.
  intros Same. unfold RMS. do 2 f_equal.
  rewrite <- (sum_permuted n pi pi' (fun i => sum m (fun j => A i j ^ 2))) by assumption.
  apply sum_ext. intros i _.
  rewrite <- (sum_permuted m sigma sigma' (fun j => A (pi i) j ^ 2)) by assumption.
  apply sum_ext. intros. rewrite Same. reflexivity.
Qed.

Lemma X_in_order t i j :
  X R_0' C_0' (in_order X_0) G' t i j = in_order (X R_0 C_0 X_0 G t) i j.
Proof.
  revert i j. induction t as [|t IH]; intros i j; [reflexivity|].
  cbn [X]. rewrite (RMS_in_order _ _ IH), (RMS_in_order _ _ (U_in_order (S t))).
  rewrite IH, U_in_order. reflexivity.
Qed.
End Permuted.

Theorem V_permuted R_0 C_0 G t i j :
  permutation n pi pi' -> permutation m sigma sigma' ->
  V (fun i => R_0 (pi i)) (fun j => C_0 (sigma j)) (fun t i j => G t (pi i) (sigma j)) t i j
    = V R_0 C_0 G t (pi i) (sigma j).
Proof. intros. apply V_in_order; assumption. Qed.

Theorem X_permuted R_0 C_0 X_0 G t i j :
  permutation n pi pi' -> permutation m sigma sigma' ->
  X (fun i => R_0 (pi i)) (fun j => C_0 (sigma j)) (fun i j => X_0 (pi i) (sigma j))
    (fun t i j => G t (pi i) (sigma j)) t i j
    = X R_0 C_0 X_0 G t (pi i) (sigma j).
Proof. intros. apply X_in_order; assumption. Qed.
End Course.
