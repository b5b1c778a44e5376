"""Two cohorts of one log: the rows that a condition keeps, and the outcomes that followed their requests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from recsysops.engines.cohort_requests import CohortRequests
from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.tables.source import Partition, Source
from recsysops.tables.table import Table

if TYPE_CHECKING:
    import pyarrow as pa

Conditions = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FollowingTable(Table):
    """Outcomes of one cohort; their counts never mix with those of the whole table."""

    cohort: str = ""

    @property
    def binding(self) -> str:
        """That of the table, told apart by the cohort's."""
        return hashlib.sha256(f"{super().binding}\x1f{self.cohort}".encode()).hexdigest()[:20]


def parse_conditions(text: str, option: str) -> Conditions:
    """``model_id=a,market=NO`` as pairs of column (or role) and value; all must hold.

    Raises:
        ConfigError: if a part is not ``column=value``.

    Example:
        >>> parse_conditions("policy=random, campaign=men", "--reference")
        (('policy', 'random'), ('campaign', 'men'))
    """
    pairs = []
    for part in text.split(","):
        column, equals, value = part.partition("=")
        if not equals or not column.strip():
            raise ConfigError(option, found=repr(part), expected="column=value, more of them joined by commas")
        pairs.append((column.strip(), value.strip()))
    return tuple(pairs)


@dataclass(frozen=True)
class Cohort:
    """Candidates of one cohort, and the outcomes that followed them where requests can be joined.

    Used as a context: its requests are kept in DuckDB until the end of the block.
    """

    label: str
    columns: frozenset[str]
    """The columns that tell the cohorts apart."""
    tables: Mapping[str, Table]
    requests: CohortRequests

    def __enter__(self) -> Cohort:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.requests.close()


def open_cohort(tables: Mapping[str, Table], conditions: Conditions, spill: Path) -> Cohort:
    """The cohort that the conditions keep.

    Args:
        tables: of the workspace.
        conditions: column and value pairs of the candidates.
        spill: folder for what does not fit in memory.

    Raises:
        ConfigError: if there are no candidates.
        SchemaError: if a column does not exist.
        NotEnoughDataError: if no row is kept.
    """
    candidates = tables.get("candidates")
    if candidates is None:
        raise ConfigError("compare", found="no table candidates", expected="one, to tell the cohorts apart by")
    kept = candidates
    for column, value in conditions:
        kept = kept.filtered(column, value)
    label = ", ".join(f"{column}={value}" for column, value in conditions)
    requests = CohortRequests(kept, spill)
    if not requests.n_impressions:
        requests.close()
        raise NotEnoughDataError(
            label, found="no impressions", expected="some rows", next_step="check the column's values"
        )
    named = {name for name, _ in kept.where}
    chosen = {"candidates": _without_slices(kept, named)}
    outcomes = tables.get("outcomes")
    if outcomes is not None and outcomes.schema.role("request_id") is not None:
        chosen["outcomes"] = _without_slices(_followed(outcomes, kept, requests), named)
    return Cohort(label, frozenset(named), chosen, requests)


def _without_slices(table: Table, columns: set[str]) -> Table:
    """Slices by the very column that tells the cohorts apart would compare each with nothing."""
    slices = tuple(name for name in table.schema.slices if name not in columns)
    return replace(table, schema=replace(table.schema, slices=slices))


def _followed(outcomes: Table, kept: Table, requests: CohortRequests) -> Table:
    """The outcomes of the cohort's requests; its counts are kept apart by a condition on the request's column."""
    column = outcomes.schema.role("request_id")
    assert column is not None
    source = CohortOutcomes(outcomes.source, column.name, requests, _digest(kept))
    given = {field.name: getattr(outcomes, field.name) for field in fields(outcomes)}
    return FollowingTable(**{**given, "source": source}, cohort=kept.binding)


def _digest(kept: Table) -> str:
    """Changes with the cohort's conditions and with its partitions."""
    parts = [kept.binding, *(partition.fingerprint for partition in kept.partitions())]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


class CohortOutcomes:
    """A source of those rows whose request belongs to a cohort."""

    def __init__(self, source: Source, request_column: str, requests: CohortRequests, digest: str) -> None:
        self._source = source
        self._column = request_column
        self._requests = requests
        self._digest = digest

    def partitions(self) -> tuple[Partition, ...]:
        """Those of the whole table; their fingerprints and keys are the cohort's own."""
        return tuple(replace(one, fingerprint=self._of_cohort(one.fingerprint)) for one in self._source.partitions())

    def schema(self, partition: Partition) -> pa.Schema:
        """Columns of the partition."""
        return self._source.schema(self._original(partition))

    def batches(self, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Rows of the cohort's requests."""
        read = [*columns, *([] if self._column in columns else [self._column])]
        for batch in self._source.batches(self._original(partition), read):
            yield self._requests.semi_join(batch, self._column).select(list(columns))

    def parquet_path(self, partition: Partition) -> Path | None:
        """None: the file holds other cohorts' rows as well."""
        return None

    def _of_cohort(self, fingerprint: str) -> str:
        return hashlib.sha256(f"{fingerprint}\x1f{self._digest}".encode()).hexdigest()

    def _original(self, partition: Partition) -> Partition:
        for one in self._source.partitions():
            if one.key == partition.key:
                return one
        return partition
