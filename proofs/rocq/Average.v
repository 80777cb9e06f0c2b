(* The moving average of x, with weights 1 - beta; x k and beta k are those of step k + 1. *)
Require Import Reals Lra Lia.
Require Import Sums.
Open Scope R_scope.

Section Average.
Variable beta : nat -> R.

Fixpoint ema (x : nat -> R) t :=
  match t with O => 0 | S k => beta k * ema x k + (1 - beta k) * x k end.
Fixpoint prod t :=
  match t with O => 1 | S k => beta k * prod k end.

(* The weights sum to the average of ones. *)
Theorem ema_one t : ema (fun _ => 1) t = 1 - prod t.
Proof. induction t as [|t IH]; simpl; [|rewrite IH]; ring. Qed.

Lemma prod_zero t : beta 0%nat = 0 -> prod (S t) = 0.
Proof.
  intros First. induction t as [|t IH]; simpl in *.
  - rewrite First. ring.
  - rewrite IH. ring.
Qed.

Theorem ema_weights t : beta 0%nat = 0 -> (0 < t)%nat -> ema (fun _ => 1) t = 1.
Proof.
  intros First Begun. destruct t as [|t]; [lia|].
  rewrite ema_one, prod_zero by assumption. ring.
Qed.

Theorem ema_linear x y t c : ema (fun k => c * x k + y k) t = c * ema x t + ema y t.
Proof. induction t as [|t IH]; simpl; [|rewrite IH]; ring. Qed.

Theorem ema_nonneg x t :
  (forall k, 0 <= beta k <= 1) -> (forall k, 0 <= x k) -> 0 <= ema x t.
Proof.
  intros B X. induction t as [|t IH]; simpl; [lra|].
  specialize (B t). specialize (X t). nra.
Qed.
End Average.
