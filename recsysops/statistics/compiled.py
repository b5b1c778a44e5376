"""How our inner loops are compiled: without the interpreter lock, and cached between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile on first call; threads may then run it side by side.

    Machine code is cached beside the source, or in the user's cache folder when the package folder is read-only
    (``NUMBA_CACHE_DIR`` overrides both). Where neither can be written, every process compiles for itself.
    """
    try:
        return cast("F", numba.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # numba found no folder to cache in
        return cast("F", numba.njit(nogil=True)(function))
