"""The screen of ``recsysops peers``, and the same for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from recsysops.peers.balance import Balance, balance
from recsysops.peers.catalogue import item_peers, read_catalogue
from recsysops.peers.choosing import Peers
from recsysops.reporting.lines import Column, Line, next_lines, table, wrapped
from recsysops.reporting.numbers import count, number, percent
from recsysops.reporting.plain import literal
from recsysops.tables.table import Table

N_SHOWN = 10
N_UNLIKE = 6


@dataclass(frozen=True)
class PeersReport:
    """The peers of an item as of a moment."""

    at: datetime
    peers: Peers
    ages: tuple[float, ...]
    """Of the peers, in days; NaN where not known."""
    balance: tuple[Balance, ...]

    def to_dict(self) -> dict[str, Any]:
        """Stable keys; numbers that are not known are null."""
        rows = zip(self.peers.keys, self.peers.distances, self.peers.weights, self.ages, strict=True)
        return {
            "schema_version": 1,
            "item_id": self.peers.key,
            "at": self.at.isoformat(),
            "filters": list(self.peers.filters),
            "n_eligible": self.peers.n_eligible,
            "peers": [
                {"item_id": key, "distance": float(distance), "weight": float(weight), "age_days": age}
                for key, distance, weight, age in rows
            ],
            "balance": [asdict(one) | {"is_balanced": one.is_balanced} for one in self.balance],
        }


def report_peers(tables: Mapping[str, Table], item: str, at: datetime, k: int, without: Sequence[str]) -> PeersReport:
    """Choose an item's peers and look how alike they are; errors as for ``read_catalogue`` and ``item_peers``."""
    catalogue = read_catalogue(tables, at, leave_out=without)
    peers = item_peers(catalogue, item, k=k)
    known = catalogue.metadata
    compared = balance(known, [known.place(item)], peers.rows, peers.weights, np.flatnonzero(catalogue.is_live))
    return PeersReport(at, peers, tuple(catalogue.age_days[peers.rows].tolist()), compared)


def peers_lines(
    report: PeersReport, width: int, *, verbose: bool = False, command: str = "recsysops"
) -> Iterator[Line]:
    """Answer, the nearest, in what they are unlike the item, what to do next."""
    peers = report.peers
    yield from wrapped(
        f"Item {literal(peers.key)} has {count(len(peers.keys), 'peer')} of {count(peers.n_eligible, 'eligible item')} "
        f"at {report.at:%Y-%m-%d %H:%M} UTC",
        width,
        style="bold" if peers.keys else "yellow",
    )
    if peers.filters:
        yield from wrapped(f"eligible: {literal(', '.join(peers.filters))}", width, style="dim")
    shown = slice(None if verbose else N_SHOWN)
    if peers.keys:
        yield Line("")
        columns = (
            Column("item", tuple(map(literal, peers.keys[shown]))),
            Column("distance", tuple(map(number, peers.distances[shown].tolist())), is_number=True),
            Column("weight", tuple(map(percent, peers.weights[shown].tolist())), is_number=True),
            Column("age in days", tuple(map(number, report.ages[shown])), is_number=True, drop=1),
        )
        yield from table(columns, width)
    yield from _unlike_lines(report, width, verbose=verbose)
    yield Line("")
    yield from next_lines([f"{command} peers {literal(peers.key)} {'--json' if verbose else '--verbose'}"])


def _unlike_lines(report: PeersReport, width: int, *, verbose: bool) -> Iterator[Line]:
    """Attributes in which item and peers do not compare: what a comparison may owe to them."""
    unlike = [one for one in report.balance if not one.is_balanced]
    shown = list(report.balance) if verbose else unlike[:N_UNLIKE]
    if not shown:
        return
    yield Line("")
    yield from wrapped(
        f"Unlike its peers in {len(unlike)} of {len(report.balance)} attributes and values (a quarter of a standard "
        "deviation or more)",
        width,
    )
    columns = (
        Column(
            "attribute",
            tuple(literal(one.attribute) + (f" = {literal(one.value, 24)}" * bool(one.value)) for one in shown),
        ),
        Column("item", tuple(_value(one, one.subjects) for one in shown), is_number=True),
        Column("peers", tuple(_value(one, one.peers) for one in shown), is_number=True),
        Column("apart by sd", tuple(number(one.difference) for one in shown), is_number=True),
    )
    yield from table(columns, width)


def _value(one: Balance, value: float) -> str:
    return percent(value) if one.value else number(value)
