"""What share of requests is logged: rules, floors and the marks that are always logged.

Every rule, floor and mark that fits a request asks for a rate; the request is kept iff its hash lies below the greatest of
them. Nothing is drawn twice, so a rule can only add requests, and the rate that was granted is known and logged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

MARKS = ("error", "fallback", "invalid_score", "low_ranked_play", "overridden", "randomised")
"""What a request may be marked with: it failed, a fallback answered, a score is NaN or infinite, an item far down was played
while the request waited, an override changed it, its slate was randomised."""
MOST_SLICES = 10_000
"""Combinations of values that one rule may name."""
MOST_REQUESTS = 10_000
"""A floor's greatest number of requests, whose hashes are held in memory for each stratum."""


@dataclass(frozen=True)
class Rule:
    """A share of the requests of a slice.

    Example:
        >>> Rule("denmark", 0.05, thin_rate=0.5, when={"market": ["DK"]}).when
        {'market': ('DK',)}
    """

    name: str
    rate: float
    """Share logged with features, in [0, 1]."""
    thin_rate: float = 0.0
    """Share logged at least without features; below ``rate`` it says nothing."""
    when: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Dimension → values it may have; all dimensions must fit. Empty: every request."""
    expires_at: datetime | None = None
    why: str = ""

    def __post_init__(self) -> None:
        where = _named("rule", self.name)
        refuse_bad_rate(f"{where}.rate", self.rate)
        refuse_bad_rate(f"{where}.thin_rate", self.thin_rate)
        refuse_bad_time(f"{where}.expires_at", self.expires_at)
        object.__setattr__(self, "when", {name: _texts(f"{where}.when.{name}", self.when[name]) for name in self.when})
        n_slices = math.prod(len(values) for values in self.when.values())
        if not 0 < n_slices <= MOST_SLICES:
            raise ValueError(f"{where}.when: found {n_slices} slices, expected 1 to {MOST_SLICES}; split the rule")


@dataclass(frozen=True)
class Floor:
    """At least so many requests a day of every slice or item, from each process, however rare it is; all, if there are fewer.

    Among the first ``n_requests`` requests of a day all are kept, and then those whose hash is among the ``n_requests``
    smallest so far: about n (1 + ln(N / n)) of N. The rate in force depends on earlier requests only, so each is kept with
    exactly the probability that is logged.
    """

    name: str
    n_requests: int
    by: tuple[str, ...] = ()
    """Dimensions; every combination of their values has its own floor."""
    items: tuple[str, ...] = ()
    """Launches: each has its own floor of requests that have it among their candidates."""
    expires_at: datetime | None = None
    why: str = ""

    def __post_init__(self) -> None:
        where = _named("floor", self.name)
        _refuse_bad_number(f"{where}.n_requests", self.n_requests, MOST_REQUESTS)
        refuse_bad_time(f"{where}.expires_at", self.expires_at)
        for name in ("by", "items"):
            object.__setattr__(self, name, _texts(f"{where}.{name}", getattr(self, name)))
        if not self.by and not self.items:
            raise ValueError(f"{where}: found neither by nor items, expected dimensions or items to have a floor for")


@dataclass(frozen=True)
class SamplingPlan:
    """All that decides which requests are logged; a value, written as a JSON document by ``plan_document``."""

    rules: tuple[Rule, ...] = ()
    floors: tuple[Floor, ...] = ()
    always: tuple[str, ...] = MARKS
    """Marks of requests that are always logged."""
    member_day_rate: float = 0.0
    """Share of members, another one each day (UTC), all of whose requests are logged: their searches can be joined."""
    low_rank: int = 30
    """An outcome on an item ranked below this place, or not ranked at all, marks the request ``low_ranked_play``."""
    salt: str = "sample"
    """Never that of an experiment or of ``explore``: the sample would be one arm."""

    def __post_init__(self) -> None:
        for name in ("rules", "floors", "always"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not isinstance(self.salt, str) or not self.salt:
            raise ValueError(f"sampling plan.salt: found {self.salt!r}, expected text of its own for this purpose")
        refuse_bad_rate("sampling plan.member_day_rate", self.member_day_rate)
        _refuse_bad_number("sampling plan.low_rank", self.low_rank, MOST_REQUESTS)
        unknown = sorted(map(str, set(self.always) - set(MARKS)))
        if unknown:
            raise ValueError(f"sampling plan.always: found {unknown}, expected some of {', '.join(MARKS)}")
        for kind, named in (("rule", self.rules), ("floor", self.floors)):
            names = [one.name for one in named]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"sampling plan: found two {kind}s named {twice[0]!r}, expected names of their own")

    @property
    def dimensions(self) -> frozenset[str]:
        """Every dimension that a rule or floor looks at."""
        return frozenset(
            [name for rule in self.rules for name in rule.when] + [name for one in self.floors for name in one.by]
        )

    def boosted(self, rule: Rule) -> SamplingPlan:
        """The plan with one more rule that expires; a rule of the same name gives way.

        Raises:
            ValueError: if the rule never expires: what is meant to stay belongs into the plan itself.
        """
        if rule.expires_at is None:
            raise ValueError(f"rule {rule.name!r}.expires_at: found none, expected a time at which the boost ends")
        return replace(self, rules=(*(one for one in self.rules if one.name != rule.name), rule))

    def live(self, now: datetime) -> SamplingPlan:
        """The plan without rules and floors that have expired."""
        return replace(
            self,
            rules=tuple(one for one in self.rules if one.expires_at is None or now < one.expires_at),
            floors=tuple(one for one in self.floors if one.expires_at is None or now < one.expires_at),
        )

    @property
    def next_expiry(self) -> datetime | None:
        """When the first of its rules and floors expires."""
        times = [rule.expires_at for rule in self.rules] + [floor.expires_at for floor in self.floors]
        return min((time for time in times if time is not None), default=None)


def refuse_bad_rate(where: str, rate: object) -> None:
    """Refuse what is not a number in [0, 1].

    Raises:
        ValueError: naming the place.
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
        raise ValueError(f"{where}: found {rate!r}, expected a number in [0, 1]")


def refuse_bad_time(where: str, time: object) -> None:
    """Refuse a time without a zone; None is no time.

    Raises:
        ValueError: naming the place.
    """
    if time is not None and (not isinstance(time, datetime) or time.utcoffset() is None):
        raise ValueError(f"{where}: found {time!r}, expected a time with its zone, as 2026-11-22T08:00:00Z")


def _refuse_bad_number(where: str, number: object, most: int) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= most:
        raise ValueError(f"{where}: found {number!r:.40}, expected a whole number from 1 to {most}")


def _named(kind: str, name: object) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError(f"{kind}: found the name {name!r}, expected a name")
    return f"{kind} {name!r}"


def _texts(where: str, values: object) -> tuple[str, ...]:
    if isinstance(values, list | tuple | set | frozenset) and all(isinstance(value, str) for value in values):
        return tuple(dict.fromkeys(values))
    raise ValueError(f"{where}: found {values!r}, expected a list of texts")
