"""What an inspection learns, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from recsysops.tables.contract import Kind

if TYPE_CHECKING:
    from recsysops.config.settings import SourceSettings, WorkspaceSettings


@dataclass(frozen=True)
class Doubt:
    """A choice that the data did not settle; it is written beside the choice as ``# unsure:``."""

    where: str
    """Dotted key of the settings, e.g. ``tables.candidates.roles.ts``."""
    chosen: str
    alternatives: tuple[str, ...]
    why: str

    def to_dict(self) -> dict[str, object]:
        """The fields as JSON has them."""
        return {"where": self.where, "chosen": self.chosen, "alternatives": list(self.alternatives), "why": self.why}


@dataclass(frozen=True)
class Found:
    """A source that was found: files that belong together, or a table of a database file."""

    path: str
    """As it stands in the settings: relative to the workspace where it lies inside."""
    format: str
    table: str | None = None
    n_files: int = 1
    n_bytes: int = 0
    delimiter: str = ""
    """Of CSV files that are not separated by commas."""

    @property
    def settings(self) -> SourceSettings:
        """The ``source`` section that reads it."""
        from recsysops.config.settings import SourceSettings

        options = {"delimiter": self.delimiter} if self.delimiter else {}
        return SourceSettings(path=self.path, format=self.format, table=self.table, options=dict(options))

    @property
    def label(self) -> str:
        """What a person calls it."""
        return f"{self.path} ({self.table})" if self.table else self.path


@dataclass(frozen=True)
class ColumnFacts:
    """What a bounded sample says of one column. Of list columns the numbers describe the lists' elements."""

    name: str
    arrow_type: str
    kind: Kind
    n_rows: int
    n_missing: int = 0
    n_distinct: int = 0
    low: float | None = None
    high: float | None = None
    is_whole: bool = False
    """Every number is whole (also when stored as a float)."""
    is_list: bool = False
    lengths: str = ""
    """Of list columns: a digest of the lengths row by row; equal digests mean parallel lists."""
    has_zone: bool = False
    first: datetime | None = None
    last: datetime | None = None
    epoch_unit: str = ""
    """s, ms, us or ns when the numbers look like seconds (…) since 1970."""
    is_time_text: bool = False

    @property
    def n_present(self) -> int:
        """Values that are not NULL."""
        return self.n_rows - self.n_missing

    @property
    def is_flag(self) -> bool:
        """Whether the values are true/false or 0/1."""
        is_binary = self.kind == "numeric" and self.is_whole and self.low is not None and self.high is not None
        return self.kind == "boolean" or bool(is_binary and self.low >= 0 and self.high <= 1)  # type: ignore[operator]

    @property
    def is_timelike(self) -> bool:
        """Whether the values can be read as moments."""
        return self.kind == "timestamp" or bool(self.epoch_unit) or self.is_time_text


@dataclass(frozen=True)
class TableSample:
    """A source with what its sample says."""

    found: Found
    n_rows: int
    """Rows looked at (not the size of the source)."""
    columns: tuple[ColumnFacts, ...]

    def column(self, name: str) -> ColumnFacts:
        """The column of that name.

        Raises:
            KeyError: if there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class TableGuess:
    """One table as ``init`` would configure it."""

    table: str
    sample: TableSample
    roles: Mapping[str, str]
    features: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    more_slices: tuple[str, ...] = ()
    """Columns that could be slices but were left out."""
    unnest: tuple[str, ...] = ()
    masks: Mapping[str, str] = field(default_factory=dict)
    """feature: companion column that is true where its value was defaulted."""
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inference:
    """What ``recsysops init`` proposes."""

    settings: WorkspaceSettings
    tables: tuple[TableGuess, ...]
    doubts: tuple[Doubt, ...]
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The proposal as JSON has it."""
        return {
            "settings": self.settings.model_dump(mode="json", exclude_defaults=True),
            "doubts": [doubt.to_dict() for doubt in self.doubts],
            "notes": list(self.notes),
        }
