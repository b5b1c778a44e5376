"""A plan made ready: which requests are kept, how deep, and with what probability.

Hashes and thresholds are 64-bit integers from end to end; a rate becomes a float only when it is logged. Anyone can repeat
the draws: a request's is ``md5_number_lower(salt || request_id)`` in DuckDB, its member's of the day
``md5_number_lower(salt || '/member-day/' || member_id || '|' || day)`` with the member's id as logged and the day as
2026-11-22.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product

from recsysops.serving.floors import Floors
from recsysops.serving.hashing import WHOLE, hash64, threshold
from recsysops.serving.plan import Rule, SamplingPlan
from recsysops.serving.request_values import IS_MARKED, Values, is_low_ranked, values_of
from recsysops.serving.served_request import ServedRequest

DAY_US = 86_400_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Table = dict[tuple[str | None, ...], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Decision:
    """A request is kept."""

    is_full: bool
    """With features."""
    is_thin: bool
    """Without features, in the thin log, which has every kept request while a rule asks for thin ones."""
    sampling_rate: float
    """Probability with which a request like this is kept with features, in [0, 1]."""
    thin_rate: float
    """Probability with which it is kept thin; at least ``sampling_rate``."""
    is_promoted: bool
    """Whether an outcome on a low-ranked item is among the reasons."""
    salt: str


class Sampler:
    """A plan at one moment of the logger's clock.

    Args:
        plan: rules that have expired by ``now_us`` are left out.
        now_us: microseconds since 1970.
        floors: what an earlier sampler has seen.
    """

    def __init__(self, plan: SamplingPlan, now_us: int, floors: Floors | None = None) -> None:
        self.plan = plan
        live = plan.live(EPOCH + timedelta(microseconds=now_us))
        expiry = live.next_expiry
        self.valid_until_us = None if expiry is None else (expiry - EPOCH) // timedelta(microseconds=1)
        self._floors = Floors(live.floors) if floors is None else floors.renewed(live.floors)
        self._has_floors = bool(live.floors)
        self._tables = _tables(live.rules)
        self._base = _greatest(
            [(threshold(rule.rate), threshold(rule.thin_rate)) for rule in live.rules if not rule.when]
        )
        self._has_thin = any(rule.thin_rate for rule in live.rules)
        self._marks = [IS_MARKED[mark] for mark in live.always if mark in IS_MARKED]
        self._looks_at_plays = "low_ranked_play" in live.always
        self._member_day = threshold(live.member_day_rate)
        self._member_salt = f"{plan.salt}/member-day/"
        self.asks_for_member = self._member_day > 0

    def renewed(self, plan: SamplingPlan, now_us: int) -> Sampler:
        """A sampler for another plan or a later moment, whose floors know what these have seen."""
        return Sampler(plan, now_us, self._floors)

    def decide(
        self,
        request: ServedRequest,
        ts_us: int,
        member: str | None = None,
        played: Sequence[str] = (),
        *,
        now_us: int | None = None,
    ) -> Decision | None:
        """Whether a request is kept; None if it is not.

        Args:
            ts_us: the request's time, microseconds since 1970.
            member: the member's id as it is logged.
            played: items that outcomes named while the request waited.
            now_us: when it is decided, as far as floors of a day go; ``ts_us`` when None.
        """
        hashed = hash64(request.request_id, self.plan.salt)
        is_promoted = self._looks_at_plays and any(is_low_ranked(request, item, self.plan.low_rank) for item in played)
        full, thin = self._asked(request, is_promoted=is_promoted)
        if self._has_floors:
            full = max(full, self._floors.threshold(request, hashed, (now_us or ts_us) // DAY_US))
        thin = max(full, thin)
        member_day = 0 if member is None else self._member_day
        is_whole_day = bool(member_day) and self._member_hash(str(member), ts_us) < member_day
        if hashed >= thin and not is_whole_day:
            return None
        is_full = is_whole_day or hashed < full
        return Decision(
            is_full, self._has_thin, _either(full, member_day), _either(thin, member_day), is_promoted, self.plan.salt
        )

    def _asked(self, request: ServedRequest, *, is_promoted: bool) -> tuple[int, int]:
        """The greatest thresholds, with features and thin, that a rule or mark asks for."""
        if is_promoted:
            return WHOLE, WHOLE
        for is_marked in self._marks:
            if is_marked(request):
                return WHOLE, WHOLE
        full, thin = self._base
        for values, table in self._tables:
            found = table.get(values(request))
            if found is not None:
                full, thin = max(full, found[0]), max(thin, found[1])
        return full, thin

    def _member_hash(self, member: str, ts_us: int) -> int:
        return hash64(f"{member}|{_day_text(ts_us // DAY_US)}", self._member_salt)


@lru_cache(maxsize=8)
def _day_text(day: int) -> str:
    return (EPOCH + timedelta(days=day)).date().isoformat()


def _tables(rules: Sequence[Rule]) -> list[tuple[Values, Table]]:
    """Per set of dimensions that rules look at, what their combinations of values ask for: one look-up a request."""
    tables: dict[tuple[str, ...], Table] = {}
    for rule in rules:
        names = tuple(sorted(rule.when))
        if not names:
            continue
        table = tables.setdefault(names, {})
        asked = (threshold(rule.rate), threshold(rule.thin_rate))
        for values in product(*(rule.when[name] for name in names)):
            table[values] = _greatest([table.get(values, (0, 0)), asked])
    return [(values_of(names), table) for names, table in tables.items()]


def _greatest(asked: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return max((full for full, _ in asked), default=0), max((thin for _, thin in asked), default=0)


def _either(request: int, member_day: int) -> float:
    """The probability that the request's hash or its member's of the day lies below; they are independent."""
    if not member_day:
        return request / WHOLE
    return 1 - (1 - request / WHOLE) * (1 - member_day / WHOLE)
