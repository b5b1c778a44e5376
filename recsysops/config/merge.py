"""How a file is laid over another: base ← brand ← environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """``above`` laid over ``below``: mappings merge key by key; lists and scalars replace what they cover.

    Neither argument is changed.

    Example:
        >>> merge({"detect": {"seed": 1, "grace_hours": 6}, "skip": ["a"]}, {"detect": {"seed": 2}, "skip": []})
        {'detect': {'seed': 2, 'grace_hours': 6}, 'skip': []}
    """
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(under, value)
        else:
            merged[key] = value
    return merged
