(* The moving average. *)
Require Import Reals Lra Lia Psatz.
Require Import Sums.
Open Scope R_scope.

(* EMA weights sum to one iff b_1=0 (here: closed form 1 - prod b) *)
Section EMA.
Variable b : nat->R.
Fixpoint ema (x:nat->R) t := match t with O => 0 | S k => b k * ema x k + (1 - b k) * x k end.
Fixpoint prod t := match t with O => 1 | S k => b k * prod k end.
Theorem ema_one t : ema (fun _ => 1) t = 1 - prod t.
Proof. induction t; simpl; [lra|]. rewrite IHt. ring. Qed.
Theorem ema_weights t : b 0%nat = 0 -> (0<t)%nat -> ema (fun _ => 1) t = 1.
Proof. intros H Ht. rewrite ema_one. assert (prod t = 0). { induction t; [lia|]. simpl. destruct t; [simpl; rewrite H; ring|]. rewrite IHt by lia. ring. } lra. Qed.
Theorem ema_linear x y t c : ema (fun k => c * x k + y k) t = c * ema x t + ema y t.
Proof. induction t; simpl; [lra|]. rewrite IHt; ring. Qed.
Theorem ema_nonneg x t : (forall k, 0 <= b k <= 1) -> (forall k, 0 <= x k) -> 0 <= ema x t.
Proof. intros Hb Hx. induction t; simpl; [lra|]. specialize (Hb t); specialize (Hx t). nra. Qed.
End EMA.
