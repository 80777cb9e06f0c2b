(* The divisor of U_hat. *)
Require Import Reals Lra Lia Psatz.
Require Import Sums.
Open Scope R_scope.

(* clipping: RMS(Uhat) = min(RMS U, d) *)
Theorem clip_rms (n:nat) (u:nat->R) d : (0<n)%nat -> 0<d -> let r := sqrt (sum n (fun i => u i ^2) / INR n) in
  let uh := fun i => u i / Rmax 1 (r/d) in sqrt (sum n (fun i => uh i ^2) / INR n) = Rmin r d.
Proof. intros Hn Hd r uh. assert (N: 0 < INR n) by (apply lt_0_INR; auto).
 assert (Q: 0 <= sum n (fun i => u i ^2) / INR n) by (apply Rmult_le_pos; [apply sum_nonneg; intros; apply pow2_ge_0|left; apply Rinv_0_lt_compat; auto]).
 set (k := Rmax 1 (r/d)). assert (K: 1 <= k) by apply Rmax_l.
 replace (sum n (fun i => uh i ^2) / INR n) with ((/k)^2 * (sum n (fun i => u i^2) / INR n)).
 2:{ rewrite (sum_ext n (fun i => uh i^2) (fun i => (/k)^2 * u i^2)) by (intros; change (uh i) with (u i * / k); ring). rewrite sum_scal. unfold Rdiv; ring. }
 rewrite sqrt_mult; auto using pow2_ge_0. rewrite sqrt_pow2 by (left; apply Rinv_0_lt_compat; lra). fold r.
 assert (R0: 0 <= r) by apply sqrt_pos. clearbody r. unfold k, Rmax, Rmin. clear Q K k uh.
 assert (T: r/d*d = r) by (field; lra).
 destruct (Rle_dec 1 (r/d)) as [h|h]; destruct (Rle_dec r d) as [h'|h'].
 - assert (E: r = d) by nra. rewrite E. field. lra.
 - field. lra.
 - rewrite Rinv_1. ring.
 - exfalso. apply h. nra. Qed.
