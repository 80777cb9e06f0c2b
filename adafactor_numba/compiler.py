"""How the loops are compiled: `_name` is the source, `name = loop(_name)` what runs."""

from typing import Any

from numba import njit

loop: Any = njit(cache=True, error_model="numpy", nogil=True)
together: Any = njit(cache=True, error_model="numpy", nogil=True, parallel=True)
