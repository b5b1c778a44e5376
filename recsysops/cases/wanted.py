"""What members looked for themselves, and what their last request before it had made of the item."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from recsysops.cases.outcome_log import Outcome
from recsysops.cases.slate_rules import is_shown
from recsysops.cases.subject_requests import SubjectRequests, texts
from recsysops.replay.candidates import Candidates
from recsysops.replay.values import micros

Fate = Literal["shown", "ranked low", "filtered", "not retrieved", "no request"]


@dataclass(frozen=True)
class Wanted:
    """An outcome that no slate brought about (search, external)."""

    outcome: Outcome
    request: int | None
    """Number of the member's last logged request within the label window before it."""
    row: int | None
    """The item's row there."""
    fate: Fate
    rank: float | None
    n_candidates: int
    rule: str
    """That filtered the item; empty for none."""


def wanted(requests: SubjectRequests, outcomes: Sequence[Outcome], window_days: int) -> tuple[Wanted, ...]:
    """Follow the outcomes that members brought about themselves back to their last requests.

    Args:
        window_days: how long after a request an outcome may count as following it; at least a day.
    """
    asked = _asked(requests)
    rows = requests.rows
    names = texts(rows.role("item_id")).to_pylist()
    places = {(int(request), name): row for row, (request, name) in enumerate(zip(rows.request, names, strict=True))}
    limit = timedelta(days=max(window_days, 1))
    fates = _Fates(rows)
    return tuple(
        fates.of(one, request, places.get((request, one.item_id)) if request is not None else None)
        for one in outcomes
        if one.is_own_demand
        for request in [_last(asked.get(one.member_id or "", ()), one.ts, limit)]
    )


def _asked(requests: SubjectRequests) -> dict[str, list[tuple[datetime, int]]]:
    """Each member's requests by time."""
    rows = requests.rows
    members = texts(rows.role("member_id")).fill_null("").to_pylist()
    times = micros(rows.role("ts"))
    found: dict[str, list[tuple[datetime, int]]] = {}
    for number, row in enumerate(rows.first_rows):
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(times[row]))
        found.setdefault(members[row], []).append((at, number))
    return {member: sorted(pairs) for member, pairs in found.items()}


def _last(asked: Sequence[tuple[datetime, int]], at: datetime, limit: timedelta) -> int | None:
    place = bisect_right([moment for moment, _ in asked], at) - 1
    return asked[place][1] if place >= 0 and at - asked[place][0] <= limit else None


class _Fates:
    """What the log says of a row, looked up once."""

    def __init__(self, rows: Candidates) -> None:
        self._shown = is_shown(rows)
        rules = rows.role("filtered_by")
        self._rules = [""] * rows.n_rows if rules is None else texts(rules).fill_null("").to_pylist()
        ranks = (rows.number(role) for role in ("raw_rank", "final_rank", "position"))
        self._rank = next((one for one in ranks if one is not None), np.full(rows.n_rows, np.nan))
        self._n = np.bincount(rows.request, minlength=rows.n_requests)

    def of(self, outcome: Outcome, request: int | None, row: int | None) -> Wanted:
        n = int(self._n[request]) if request is not None else 0
        if row is None:
            return Wanted(outcome, request, None, "no request" if request is None else "not retrieved", None, n, "")
        rule, rank = str(self._rules[row]), float(self._rank[row])
        fate: Fate = "shown" if self._shown[row] else "filtered" if rule else "ranked low"
        return Wanted(outcome, request, row, fate, None if np.isnan(rank) else rank, n, rule)


def never_retrieved(
    requests: SubjectRequests, found: Sequence[Wanted], least_members: int
) -> Iterator[tuple[str, int]]:
    """Items that several members looked for and that no logged request of anybody has, with the number of those members."""
    names = set(texts(requests.rows.role("item_id")).unique().to_pylist())
    members: dict[str, set[str | None]] = {}
    for one in found:
        if one.outcome.item_id not in names:
            members.setdefault(one.outcome.item_id, set()).add(one.outcome.member_id)
    for item, who in sorted(members.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        if len(who) >= least_members:
            yield item, len(who)
