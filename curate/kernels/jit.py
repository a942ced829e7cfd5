"""The compiler switch of all kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numba

__all__ = ["jit"]


def jit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile ``function`` when it is first called; the machine code is kept for later processes.

    The global interpreter lock is released inside, and a division by zero gives an
    infinite number or NaN, as NumPy's does. The cache lies beside the source, or in the
    user's cache folder (``NUMBA_CACHE_DIR``) if that cannot be written; where neither can,
    as in some containers, each process compiles anew.
    """
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # no place for the cache
        compiled = numba.njit(nogil=True, error_model="numpy")(function)
    return cast("Callable[..., Any]", compiled)
