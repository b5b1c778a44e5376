"""What there is to break: the columns, slices, items and roles of a log, and how much of each an ordinary day has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ColumnFacts:
    """One column of the candidates on an ordinary day."""

    kind: str
    """``numeric`` or ``categorical``."""
    missing_rate: float
    mean: float = 0.0
    sd: float = 0.0
    """Of the finite values; 0 for categories."""
    zero_rate: float = 0.0
    design_effect: float = 1.0
    """Variance of the mean beside that of as many independent rows: rows of one request belong together."""
    per: str = "row"
    """``member``, ``item`` or ``row``: whose property the feature is."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Share of each category, of the largest twenty."""


@dataclass(frozen=True)
class Site:
    """A log to plant faults in; the same value for the simulated service and for a team's own logs.

    Every ``n_`` is of an ordinary day of the log (after sampling).
    """

    columns: Mapping[str, ColumnFacts]
    """The features of the candidates, and the numeric roles ``score`` and ``price`` where they are mapped."""
    slices: Mapping[str, Mapping[str, float]]
    """Slice dimension → value → share of the rows."""
    roles: Mapping[str, frozenset[str]]
    """Table → roles that are mapped."""
    n_rows: float
    n_requests: float
    n_members: float
    n_outcomes: float
    n_items: float = 0.0
    outcome_rate: float = 0.0
    """Outcomes per impression."""
    top_item_share: float = 0.0
    n_series: int = 500
    """Series that a daily run compares: each is a chance of a false alarm."""
    n_reference_days: int = 28
    item_ids: tuple[str, ...] = ()
    """Well-exposed items, most exposed first."""
    launched_ids: tuple[str, ...] = ()
    """Items launched in the last days, or about to."""
    is_simulated: bool = False

    def features(self, kind: str, per: str = "") -> tuple[str, ...]:
        """Names of features of a kind, perhaps only those of a member or of an item; in the order of the log."""
        chosen = ((name, facts) for name, facts in self.columns.items() if name not in {"score", "price"})
        return tuple(name for name, facts in chosen if facts.kind == kind and per in {"", facts.per})

    def has(self, *roles: str, table: str = "candidates") -> bool:
        """Whether the table has all these roles."""
        return set(roles) <= self.roles.get(table, frozenset())
