"""What a detector judges: folded counts of a reference and a current window, and the frozen facts around them.

The two windows are made of *units*: days when times are compared (the current window is then one day), and the days of
each cohort when two cohorts are compared. A detector need not know which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from recsysops.models.model_facts import ModelFacts
from recsysops.profiles.catalogue import Catalogue
from recsysops.profiles.measures import Cells, Clusters, Cohort, Expression, Facts, Keyed, KeyedSample, PerRequest
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Schema

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Window = Literal["reference", "current"]

HISTOGRAM_SPECIALS = ("null", "nan", "neg_inf", "pos_inf", "defaulted")
FREQUENCY_SPECIALS = ("null", "defaulted", "new", "other")


@dataclass(frozen=True)
class CellContrast:
    """Counts of one ``cells`` or ``per_request`` measure in both windows.

    Shapes: ``reference`` (n_reference_units, n_slices, n_cells), ``current`` (n_current_units, n_slices, n_cells).
    ``slices[0]`` is always every row. For a histogram ``edges`` has n_bins − 1 entries and the cells are
    ``HISTOGRAM_SPECIALS`` followed by the bins (−inf, e₀], (e₀, e₁] … (eₙ, inf); for frequencies they are
    ``FREQUENCY_SPECIALS`` followed by the top categories; for per_request
    ("requests", "flagged_requests", "rows", "flagged_rows"); for rows ("rows",).
    """

    slices: tuple[Slice, ...]
    cells: tuple[str, ...]
    reference_days: tuple[date, ...]
    current_days: tuple[date, ...]
    reference: Counts
    current: Counts
    load_buckets: Callable[[Window, int], Counts]
    """(window, slice index) → counts (n_units × 32, n_cells), read only when asked for."""
    edges: Floats | None = None
    hourly: Callable[[Window], Counts] | None = None
    """window → (n_units, 24, n_slices, n_cells), for measures counted by hour."""

    def cell(self, name: str) -> int:
        """The index of a cell.

        Raises:
            ValueError: if there is no such cell.
        """
        return self.cells.index(name)

    @property
    def n_specials(self) -> int:
        """How many leading cells are not bins or categories."""
        return len(HISTOGRAM_SPECIALS) if self.edges is not None else len(FREQUENCY_SPECIALS)


@dataclass(frozen=True)
class WindowMoments:
    """Numbers of one window that are neither NULL, NaN, infinite nor defaulted. Shapes: (n_units, n_slices).

    ``sd`` is the standard deviation of a sample. Without numbers ``mean``, ``least`` and ``greatest`` are NaN, with
    fewer than two ``sd`` is.
    """

    count: Counts
    mean: Floats
    sd: Floats
    least: Floats
    greatest: Floats


@dataclass(frozen=True)
class MomentContrast:
    """Moments of a column in both windows. ``slices[0]`` is always every row."""

    slices: tuple[Slice, ...]
    reference_days: tuple[date, ...]
    current_days: tuple[date, ...]
    reference: WindowMoments
    current: WindowMoments


@dataclass(frozen=True)
class DaySeries:
    """One measure on consecutive days, the judged one last. ``values`` has the shape (n_days, n_slices, n_cells).

    ``slices[0]`` is always every row. Cells are as in ``CellContrast``; for moments ("count", "sum"), for
    expressions ("numerator", "denominator", "rows"). A day without rows is all zeros.
    """

    slices: tuple[Slice, ...]
    cells: tuple[str, ...]
    days: tuple[date, ...]
    values: Floats


@dataclass(frozen=True)
class ClusterContrast:
    """Clusters (members) by category of a column, in 32 buckets of the cluster's hash.

    Shapes: (n_units, n_categories, 32). A cluster counts once per partition, day and category; ``several_*`` (n_units,
    32) are those with more than one category, ``clusters_*`` all of them.
    """

    categories: tuple[str, ...]
    reference_days: tuple[date, ...]
    current_days: tuple[date, ...]
    reference: Counts
    current: Counts
    several_reference: Counts
    several_current: Counts
    clusters_reference: Counts
    clusters_current: Counts


@dataclass(frozen=True)
class KeyedContrast:
    """Counters per key in both windows, for one slice.

    ``keys`` are the keys that were among the top in any unit (at most a few thousand); the last entry of the key axis
    is the tail of all others. Shapes: (n_units, n_keys + 1, n_counters). ``distinct`` are estimated numbers of distinct
    keys per unit, NaN for slices other than every row.
    """

    keys: tuple[str, ...]
    counters: tuple[str, ...]
    reference_days: tuple[date, ...]
    current_days: tuple[date, ...]
    reference: Floats
    current: Floats
    distinct_reference: Floats
    distinct_current: Floats


@dataclass(frozen=True)
class CohortContrast:
    """Outcomes by request day and age. Shapes: (n_units, n_slices, n_ages); ages are whole days since the request.

    ``unmatched`` (n_units,) are outcomes of the unit's own days that found no request.
    """

    slices: tuple[Slice, ...]
    ages: tuple[int, ...]
    reference_days: tuple[date, ...]
    current_days: tuple[date, ...]
    reference: Counts
    current: Counts
    unmatched_reference: Counts
    unmatched_current: Counts


@dataclass(frozen=True)
class SampleContrast:
    """Values of the sampled requests. Shapes: (n_rows, n_columns); NaN where a value is not a number or missing."""

    columns: tuple[str, ...]
    reference_keys: tuple[str, ...]
    current_keys: tuple[str, ...]
    reference: Floats
    current: Floats


@dataclass(frozen=True)
class PartitionFacts:
    """One partition as it was when profiled. Times are UTC; ``first_ts``/``last_ts`` are None without a clock or rows."""

    table: str
    key: str
    fingerprint: str
    n_rows: int
    n_bytes: int
    modified_at: datetime
    first_ts: datetime | None
    last_ts: datetime | None
    columns: tuple[tuple[str, str], ...]
    """(name, Arrow type) in file order."""
    days: tuple[tuple[date, int], ...]
    """(event day, rows) for every day the partition has rows of."""


@dataclass(frozen=True)
class Change:
    """A recorded deploy, configuration, schema or experiment event."""

    ts: datetime
    kind: str
    scope: str
    description: str = ""
    rollout: float | None = None
    """Share of traffic it reached, in [0, 1]."""


@dataclass(frozen=True)
class Context:
    """The frozen facts around the counts.

    ``now`` is the moment of judgement: the end of the current window for archives and replays of history, wall-clock time
    for the newest day of a live workspace.
    """

    now: datetime
    mode: Literal["days", "cohorts"]
    reference_days: tuple[date, ...]
    current_days: tuple[date, ...]
    schema: Schema
    changes: tuple[Change, ...] = ()
    """Recorded up to ``now``, oldest first."""
    catalogue: Catalogue = field(default_factory=Catalogue)
    """Launches near the current day, as known at its end."""
    models: tuple[ModelFacts, ...] = ()
    """Registered up to ``now``, oldest first; those without a time of training are taken as old."""
    consumers: Mapping[str, int] = field(default_factory=dict)
    incident_days: frozenset[date] = frozenset()
    """Days before the current ones on which something was found; no expectation is learnt from them."""
    hour: int | None = None
    """The UTC hour of the day that both windows are cut down to, in the fast tier; None for whole days."""


class History(Protocol):
    """Folded counts of every measure the detector asked for. A measure whose table is absent gives None."""

    @property
    def context(self) -> Context: ...
    def cells(self, measure: Cells | PerRequest) -> CellContrast | None: ...
    def moments(self, measure: Cells) -> MomentContrast | None: ...
    def series(self, measure: Cells | PerRequest | Expression) -> DaySeries | None: ...
    def clusters(self, measure: Clusters) -> ClusterContrast | None: ...
    def keyed(self, measure: Keyed, slice_: Slice = EVERYTHING) -> KeyedContrast | None: ...
    def cohort(self, measure: Cohort) -> CohortContrast | None: ...
    def sample(self, measure: KeyedSample) -> SampleContrast | None: ...
    def facts(self, measure: Facts) -> tuple[PartitionFacts, ...] | None: ...
