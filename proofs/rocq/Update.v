(* What bounds U, and what does not. *)
Require Import Reals Lra Lia Psatz.
Require Import Sums.
Open Scope R_scope.

Section Update.
Variables (n m:nat) (Rr Cc : nat->R) (g2 : nat->nat->R) (S b mn: R).
Hypothesis Rp : forall i,(i<n)%nat-> 0<Rr i. Hypothesis Cp : forall j,(j<m)%nat-> 0<Cc j. Hypothesis Sp: 0<S. Hypothesis Hb: 0<=b<1.
Hypothesis gp : forall i j, (i<n)%nat->(j<m)%nat-> 0 <= g2 i j.
Definition U2 i j := g2 i j * S / (Rr i * Cc j).
Theorem energy : sum n (fun i => sum m (fun j => (Rr i * Cc j / S) * U2 i j)) = sum n (fun i => sum m (fun j => g2 i j)).
Proof. apply sum_ext; intros i Hi; apply sum_ext; intros j Hj. unfold U2. specialize (Rp i Hi); specialize (Cp j Hj). field. lra. Qed.
Hypothesis Rdom : forall i,(i<n)%nat-> (1-b) * sum m (fun j => g2 i j) <= Rr i.
Hypothesis mnp : 0 < mn. Hypothesis Cmn : forall j,(j<m)%nat-> mn <= Cc j.
Theorem rms_bound : (1-b) * mn * sum n (fun i => sum m (fun j => U2 i j)) <= INR n * S.
Proof.
 rewrite <- sum_scal, <- sum_const. apply sum_le; intros i Hi. specialize (Rp i Hi).
 apply Rle_trans with ((1-b) * mn * sum m (fun j => (S / (Rr i * mn)) * g2 i j)).
 - apply Rmult_le_compat_l; [nra|]. apply sum_le; intros j Hj. unfold U2. specialize (Cmn j Hj). specialize (gp i j Hi Hj).
   replace (g2 i j * S / (Rr i * Cc j)) with ((g2 i j * S / Rr i) * / Cc j) by (field; lra).
   replace (S / (Rr i * mn) * g2 i j) with ((g2 i j * S / Rr i) * / mn) by (field; lra).
   apply Rmult_le_compat_l. apply Rmult_le_pos; [nra|left; apply Rinv_0_lt_compat; auto]. apply Rinv_le_contravar; auto.
 - rewrite sum_scal. specialize (Rdom i Hi). 
   change (fun j : nat => g2 i j) with (g2 i) in *.
   replace ((1 - b) * mn * (S / (Rr i * mn) * sum m (g2 i))) with (S * (((1-b) * sum m (g2 i)) * / Rr i)) by (field; split; lra).
   assert (Z: (1-b) * sum m (g2 i) * / Rr i <= 1).
   { apply (Rmult_le_reg_r (Rr i)); auto. rewrite Rmult_assoc, Rinv_l; lra. }
   apply (Rmult_le_compat_l S) in Z; lra. Qed.
End Update.

(* the factored RMS(U) has NO bound in n,m,b: t=1, 2x2, G=diag(d,1) *)
Theorem rms_unbounded : forall M, exists d, 0<d<1 /\ (* mean of U^2 *) ((1+d^2)*d^2/(d^2*d^2) + (1+d^2)*1/(1*1)) / 4 > M.
Proof. intros M. set (K := Rmax 1 (4*M)). exists (/ (K+1)).
 assert (K >= 1) by (unfold K; pose proof (Rmax_l 1 (4*M)); lra). assert (4*M <= K) by (unfold K; apply Rmax_r).
 split. split. apply Rinv_0_lt_compat; lra. rewrite <- Rinv_1. apply Rinv_lt_contravar; lra.
 set (d := / (K+1)). assert (0<d) by (apply Rinv_0_lt_compat; lra). 
 replace (((1+d^2)*d^2/(d^2*d^2) + (1+d^2)*1/(1*1))/4) with (((K+1)^2 + 2 + d^2)/4).
 nra. assert (d*(K+1)=1) by (unfold d; field; lra). assert (E: K+1 = /d) by (unfold d; rewrite Rinv_inv; auto). rewrite E. field. lra. Qed.

(* vector rule *)
Theorem vec_bound b v0 e g : 0<=b<1 -> 0<=v0 -> 0<=e -> let V := b*v0+(1-b)*(g^2+e) in 0 < V -> g^2/V <= /(1-b).
Proof. intros. apply (Rmult_le_reg_r (V*(1-b))). nra. replace (g^2/V*(V*(1-b))) with (g^2*(1-b)) by (field; lra). replace (/(1-b)*(V*(1-b))) with V by (field; lra). unfold V. nra. Qed.
