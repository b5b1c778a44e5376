"""Operations for recommenders in production: detect, predict, diagnose, resolve.

The names below are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsysops.workspace import Workspace as Workspace

__version__ = "0.1.0"

_LAZY = {"Workspace": "recsysops.workspace"}
__all__ = ["Workspace", "__version__"]


def __getattr__(name: str) -> Any:
    """Load a public name from its module the first time it is asked for (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
