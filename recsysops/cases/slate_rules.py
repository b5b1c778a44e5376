"""Rules that every slate keeps: no item twice, no gap, nothing that is filtered, not live or not available."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsysops.cases.evidence import Proof, Sign, share_proof
from recsysops.cases.subject_requests import texts
from recsysops.peers.catalogue import Catalogue
from recsysops.replay.bisection import any_row
from recsysops.replay.candidates import Candidates

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Broken:
    """A rule and the rows that break it; ``name`` is the sign's."""

    name: str
    entity: str
    rows: Flags
    """(n_rows,)."""
    words: str

    def sign(self, own: Candidates) -> Sign:
        """What it speaks for; one request is there as a whole, a share of several has an interval."""
        of_request = any_row(self.rows, own.request, own.n_requests)
        n, of = int(of_request.sum()), own.n_requests
        proof = (
            share_proof("violation", n, of, self.words) if of > 1 else Proof("violation", 1.0, None, None, self.words)
        )
        return Sign(self.name, self.entity, self.words, min(1.0, 0.5 + n / of), proof)


def is_shown(own: Candidates) -> Flags:
    """Rows that became impressions: the log says so; else they have a position; else all."""
    shown, position = own.number("shown"), own.number("position")
    if shown is not None:
        return shown == 1
    return np.ones(own.n_rows, bool) if position is None else ~np.isnan(position)


def broken_rules(own: Candidates) -> Iterator[Broken]:
    """Rules that the log alone can tell of."""
    shown, items = is_shown(own), _items(own)
    position = own.number("position")
    place = np.zeros(own.n_rows) if position is None else np.nan_to_num(position, nan=-1.0)
    twice = _is_repeated(own, items, place)
    if twice.any():
        words = f"{int(twice.sum())} rows are in the log more than once: {_named(items[twice])}"
        yield Broken("logged twice", "candidates", twice, words)
    repeated = shown & _is_repeated(own, items, ~shown) & ~twice
    if repeated.any():
        yield Broken(
            "repeats an item", _named(items[repeated]), repeated, f"the slate shows {_named(items[repeated])} twice"
        )
    if position is not None:
        yield from _gaps(own, shown, position)
    rules = own.role("filtered_by")
    if rules is not None:
        names = np.array(texts(rules).fill_null("").to_pylist(), object)
        bad = shown & (names != "")
        if bad.any():
            rule = str(names[bad][0])
            yield Broken(
                "shows filtered", f"rule {rule}", bad, f"the slate shows {_named(items[bad])}, which rule {rule} took"
            )


def unavailable(own: Candidates, catalogues: Sequence[Catalogue], market: str) -> Iterator[Broken]:
    """Shown items that the catalogue of the moment does not know, has not launched or has no right to show there.

    Args:
        catalogues: as known at the time of each of the first requests.
        market: column of the log, empty without one.
    """
    shown, items = is_shown(own), _items(own)
    markets = texts(own.columns[market]).to_pylist() if market in own.columns else [None] * own.n_rows
    reasons: dict[str, list[int]] = {}
    for number, catalogue in enumerate(catalogues):
        places = {key: place for place, key in enumerate(catalogue.metadata.keys)}
        for row in np.flatnonzero(shown & (own.request == number)):
            reason = _why_not(catalogue, places.get(items[row]), markets[row])
            if reason:
                reasons.setdefault(reason, []).append(int(row))
    for reason, rows in reasons.items():
        flags = np.isin(np.arange(own.n_rows), rows)
        yield Broken(reason, _named(items[flags]), flags, f"the slate shows {_named(items[flags])}: {_WHY[reason]}")


_WHY = {
    "unknown item": "not in the catalogue",
    "before launch": "not launched at that time",
    "not available": "no right to show it in that market at that time",
}


def _why_not(catalogue: Catalogue, place: int | None, market: str | None) -> str:
    if place is None:
        return "unknown item"
    if catalogue.age_days[place] < 0:
        return "before launch"
    if catalogue.markets is None:
        return ""
    known = catalogue.markets[place]
    return "not available" if not known or (market is not None and market not in known) else ""


def _gaps(own: Candidates, shown: Flags, position: npt.NDArray[np.float64]) -> Iterator[Broken]:
    column = own.schema.role("position")
    entity = column.name if column is not None else "position"
    for number in range(own.n_requests):
        rows = shown & (own.request == number) & ~np.isnan(position)
        places = np.unique(position[rows])
        if len(places) and not np.array_equal(places, np.arange(1, len(places) + 1)):
            listed = ", ".join(f"{one:g}" for one in places[:12])
            yield Broken("gap in positions", entity, rows, f"positions are {listed}")
            return


def _is_repeated(own: Candidates, items: npt.NDArray[np.object_], also: npt.NDArray[np.generic]) -> Flags:
    """Rows whose request, item and a third thing stand in another row too."""
    codes = np.unique(items.astype(str), return_inverse=True)[1]
    keys = np.column_stack([own.request, codes, np.unique(also, return_inverse=True)[1]])
    _, which, n = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return np.asarray(n[which.ravel()] > 1)


def _items(own: Candidates) -> npt.NDArray[np.object_]:
    return np.array(texts(own.role("item_id")).fill_null("").to_pylist(), object)


def _named(items: npt.NDArray[np.object_]) -> str:
    known = list(dict.fromkeys(items.tolist()))
    return f"item {known[0]}" + (f" and {len(known) - 1} more" if len(known) > 1 else "")
