"""Of changes in the whole and in its slices, those that say something: slices that merely follow the whole are left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from recsysops.triage.rate_gate import RateChange

_NO_VALUE = frozenset({"(null)", "(other)"})


def widest(changes: Iterable[RateChange]) -> Iterator[RateChange]:
    """The changes of the whole, and of slices that moved half as much again, or alone.

    When all outcomes are late, so are those of every host. Rows without a value of the dimension are no slice.
    """
    found = list(changes)
    whole = {one.rate.name: one for one in found if not one.slice.dimension}
    for one in found:
        wide = whole.get(one.rate.name)
        is_more = wide is None or abs(one.value - one.reference) >= 1.5 * abs(wide.value - wide.reference)
        if one is wide or (is_more and one.slice.value not in _NO_VALUE and not _is_within(one, wide)):
            yield one


def _is_within(one: RateChange, wide: RateChange | None) -> bool:
    """Whether chance alone may have made the slice differ from the whole that changed as well."""
    return wide is not None and one.low <= wide.high
