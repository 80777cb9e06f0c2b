"""The paper's schedules, [S] Algorithm 6, in doubles: rho_t and beta_2t for t = 1, 2, ..."""

import math


def rho(t: int) -> float:
    """min(1e-2, 1 / sqrt t).  Step rho."""
    return min(1e-2, 1.0 / math.sqrt(t))


def weight(t: int) -> float:
    """1 - beta_2t = t^-0.8, the weight of the newest gradient; no digit is lost to a difference."""
    return math.pow(t, -0.8)


def beta_2(t: int) -> float:
    """1 - t^-0.8, which is 0 at t = 1.  Step beta_2."""
    return 1.0 - weight(t)
