"""What one scan of one partition is to count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from recsysops.profiles.categories import CategorySet
from recsysops.profiles.edges import EdgeSet
from recsysops.profiles.history import FREQUENCY_SPECIALS, HISTOGRAM_SPECIALS
from recsysops.profiles.measures import Cells
from recsysops.profiles.tally import MOMENTS

MAX_CELLS = 65_536


@dataclass(frozen=True)
class ColumnPlan:
    """How one measure is counted in this scan.

    A histogram needs ``edges``, frequencies need ``categories`` (of labels joined by ``PAIR_SEPARATOR`` for a pair).
    ``default`` is the value that means *defaulted*, ``mask`` the column that is true where the value is; for a pair
    ``default`` is a joined label. ``shift`` is subtracted before moments are summed, and must be the same in all
    partitions that are to be added.

    Raises:
        ValueError: if edges or categories are missing, or there are more than 65,536 cells.
    """

    measure: Cells
    edges: EdgeSet | None = None
    categories: CategorySet | None = None
    default: float | str | None = None
    mask: str | None = None
    shift: float = 0.0
    cluster: str = ""
    """The column whose values are the clusters that buckets are made of; "" for requests."""

    def __post_init__(self) -> None:
        form = self.measure.form
        if form == "histogram" and self.edges is None:
            raise ValueError(f"{self.measure.column}: found no edges, expected some for a histogram")
        if form == "frequencies" and self.categories is None:
            raise ValueError(f"{self.measure.column}: found no categories, expected some for frequencies")
        if self.n_cells > MAX_CELLS:
            raise ValueError(f"{self.measure.column}: found {self.n_cells} cells, expected at most {MAX_CELLS}")

    @property
    def default_number(self) -> float | None:
        """The default of a numeric column; None if there is none, or it is no number."""
        try:
            return None if self.default is None else float(self.default)
        except ValueError:
            return None

    @property
    def default_label(self) -> str | None:
        """The default of a categorical column, as `as_labels` writes it: 7.0 is ``"7"``."""
        if isinstance(self.default, float) and self.default.is_integer():
            return str(int(self.default))
        return None if self.default is None else str(self.default)

    @property
    def n_cells(self) -> int:
        """How many cells `cells` names."""
        if self.measure.form == "histogram" and self.edges is not None:
            return len(HISTOGRAM_SPECIALS) + self.edges.n_bins
        if self.measure.form == "frequencies" and self.categories is not None:
            return len(FREQUENCY_SPECIALS) + len(self.categories.categories)
        return len(MOMENTS) if self.measure.form == "moments" else 1

    @property
    def cells(self) -> tuple[str, ...]:
        """The names of the last axis of the counts; unique, except where a category bears a special cell's name."""
        if self.measure.form == "histogram" and self.edges is not None:
            return (*HISTOGRAM_SPECIALS, *self.edges.bin_names)
        if self.measure.form == "frequencies" and self.categories is not None:
            return (*FREQUENCY_SPECIALS, *self.categories.categories)
        return MOMENTS if self.measure.form == "moments" else ("rows",)

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of the table that are needed."""
        return tuple(name for name in (self.measure.column, self.measure.pair, self.mask, self.cluster) if name)


@dataclass(frozen=True)
class ScanPlan:
    """One pass over a partition.

    ``slice_values`` says which values of a dimension are kept (the rest is "(other)"); a dimension without an entry
    keeps the first 200 that appear. Without a ``clock`` every row belongs to ``day``. ``bucket_days`` are the days
    whose counts are also kept by request bucket (None = all); the others take 1/32 of the memory. ``also_reads`` are
    columns that someone who watches the scan wants to see.
    """

    columns: tuple[ColumnPlan, ...]
    slices: tuple[str, ...] = ()
    clock: str | None = None
    request_id: str | None = None
    day: date | None = None
    slice_values: Mapping[str, CategorySet] = field(default_factory=dict)
    bucket_days: frozenset[date] | None = None
    also_reads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.clock is None) == (self.day is None):
            raise ValueError("scan plan: found neither or both, expected either a clock or a day")

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of the table that are needed, each once."""
        counted = [name for plan in self.columns for name in plan.reads]
        named = [*self.slices, self.clock, self.request_id, *counted, *self.also_reads]
        return tuple(dict.fromkeys(name for name in named if name))

    @property
    def categorical_reads(self) -> tuple[str, ...]:
        """Those of `reads` that are wanted as dictionaries, because only their labels matter."""
        counted = (
            name
            for plan in self.columns
            if plan.measure.form == "frequencies"
            for name in plan.reads
            if name not in (plan.mask, plan.cluster)
        )
        numeric = {plan.measure.column for plan in self.columns if plan.measure.form in ("histogram", "moments")}
        return tuple(name for name in dict.fromkeys((*self.slices, *counted)) if name not in numeric)
