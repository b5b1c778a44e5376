"""The name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """A next step for an unknown name: the nearest known one, else other advice.

    Example:
        >>> did_you_mean("itme_id", ["item_id", "ts"], "look at the columns")
        "did you mean 'item_id'?"
    """
    nearest = get_close_matches(name, list(known), n=1)
    return f"did you mean {nearest[0]!r}?" if nearest else otherwise
