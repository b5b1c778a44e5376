"""Facts about an item that may be wrong: changed, missing, or at odds with each other, each traced to the features made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from recsysops.cases.item_case import ItemCase
from recsysops.cases.item_history import UPSTREAM, Version
from recsysops.peers.metadata import Metadata
from recsysops.triage.planned import CAUSES, WITHIN, tokens

ONE_CHANGE = timedelta(hours=36)
"""A fact travels from table to table overnight: the same change within this time is one."""
LEAST_KNOWN = 20
"""Other items that a pair of values has to be looked for among."""


@dataclass(frozen=True)
class Suspect:
    """A fact that may be wrong. ``entity`` is where it stands furthest upstream."""

    kind: Literal["changed", "missing"]
    entity: str
    before: Any
    """What it was; None where it was never there."""
    now: Any
    since: datetime | None
    """When serving could see it first; None where it was never there."""
    onset: datetime | None
    """When the most upstream table had it."""
    columns: tuple[str, ...]
    """Every upstream ``table.column`` with the same change."""
    features: tuple[str, ...]
    """Logged features made of them, by lineage or by name."""
    odd_with: str = ""
    """Another fact of the item that it never goes with in other items, in words."""
    plan: str = ""
    """A recorded plan (a sale, a campaign; no deploy) whose scope names the fact or the item, shortly before."""


def suspects(case: ItemCase) -> tuple[Suspect, ...]:
    """What changed in the window or before it while the item was served, and what serving has missed, most recent first."""
    first, end = _first_served(case), case.window.end
    live = [one for one in case.history.changes if one.before is not None and first <= one.since < end]
    found = [_changed(case, chain) for chain in _chains(live)]
    found += _missing(case, {column for one in found for column in one.columns})
    return tuple(
        sorted(found, key=lambda one: (one.since is None, -(one.since.timestamp() if one.since else 0), one.entity))
    )


def _first_served(case: ItemCase) -> datetime:
    rows = case.times[case.log.is_item]
    first = rows[0].astype("datetime64[s]").item() if len(rows) else case.window.start.replace(tzinfo=None)
    return first.replace(tzinfo=case.window.start.tzinfo)


def _chains(changes: Sequence[Version]) -> Iterator[list[Version]]:
    """Changes of one fact: the same words before and after, in one table after another."""
    left = list(changes)
    while left:
        first = left[0]
        chain = [
            one for one in left
            if (one.before, one.after) == (first.before, first.after) and abs(one.since - first.since) <= ONE_CHANGE
            and (one is first or one.table != first.table)
        ]  # fmt: skip
        left = [one for one in left if one not in chain]
        yield sorted(chain, key=lambda one: (UPSTREAM.index(one.table), one.since))


def _changed(case: ItemCase, chain: Sequence[Version]) -> Suspect:
    head, columns = chain[0], tuple(one.entity for one in chain)
    kind: Literal["changed", "missing"] = "missing" if head.after is None else "changed"
    return Suspect(
        kind, head.entity, head.before, head.after, max(one.since for one in chain), head.since, columns,
        features_of(case, columns), _odd_with(case, head), _plan(case, columns, head.since),
    )  # fmt: skip


def _missing(case: ItemCase, told: set[str]) -> Iterator[Suspect]:
    """Facts that the item never had and nearly all of its peers have."""
    if case.catalogue is None or case.peers is None:
        return
    known = case.catalogue.metadata
    for name in known.names:
        entity, others = f"items.{name}", _share_known(known, name, case)
        if entity in case.history.now and case.history.now[entity] is None and entity not in told and others >= 0.9:
            columns = (entity, *(f"item_features.{name}",) * (f"item_features.{name}" in case.history.now))
            yield Suspect("missing", entity, None, None, None, None, columns, features_of(case, columns))


def _share_known(known: Metadata, name: str, case: ItemCase) -> float:
    assert case.peers is not None
    rows = case.peers.rows
    if not len(rows):
        return 0.0
    if name in known.code_names:
        return float((known.codes[rows, known.code_names.index(name)] >= 0).mean())
    values = known.numbers[rows, known.number_names.index(name)]
    return float((values == values).mean())


def features_of(case: ItemCase, columns: Sequence[str]) -> tuple[str, ...]:
    """Logged features whose lineage names one of the upstream columns; without a lineage, those of the same name."""
    schema = case.rows.schema
    traced = [one.name for one in schema.features if one.lineage in columns]
    bare = {column.partition(".")[2] for column in columns}
    named = [one.name for one in schema.features if one.lineage is None and _bare(one.name) in bare]
    return tuple(dict.fromkeys([*traced, *named]))


def _bare(name: str) -> str:
    return name.removeprefix("item_").removeprefix("items_")


def _plan(case: ItemCase, columns: Sequence[str], onset: datetime) -> str:
    words = {word for column in columns for word in (column.partition(".")[2], *column.partition(".")[2].split("_"))}
    for change in case.changes:
        if change.kind in CAUSES or not onset - WITHIN <= change.ts <= onset:
            continue
        named = (
            name in words or name.removesuffix("s") in words if not value else (name, value) == ("item", case.item)
            for name, value in tokens(change.scope)
        )
        if any(named):
            return f"{change.kind} {change.scope} of {change.ts:%Y-%m-%d}"
    return ""


def _odd_with(case: ItemCase, head: Version) -> str:
    """The catalogue's other category that never goes with the new value in other items, though both are frequent enough."""
    if case.catalogue is None or head.after is None or head.table != "items":
        return ""
    known = case.catalogue.metadata
    if head.column not in known.code_names or case.item not in known.keys:
        return ""
    of, own = known.place(case.item), known.code_names.index(head.column)
    others: Mapping[str, int] = {name: place for place, name in enumerate(known.code_names) if name != head.column}
    best = ("", 0.0)
    for name, place in others.items():
        same = known.codes[:, place] == known.codes[of, place]
        same[of] = False
        with_before = (
            float((known.codes[same, own] == _code(known, head.column, head.before)).mean()) if same.any() else 0.0
        )
        together = int((known.codes[same, own] == known.codes[of, own]).sum())
        if same.sum() >= LEAST_KNOWN and together == 0 and with_before > best[1]:
            best = (f"{name} {known.words[name][known.codes[of, place]]}", with_before)
    return best[0] if best[1] >= 0.5 else ""


def _code(known: Metadata, name: str, word: Any) -> int:
    words = list(known.words[name])
    return words.index(str(word)) if str(word) in words else -2
