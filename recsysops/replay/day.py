"""Replay a day of a workspace's log: reads what is needed, then judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.errors import ConfigError, NotEnoughDataError, RecSysOpsError
from recsysops.models.artifact import Artifact
from recsysops.models.loading import load_artifact
from recsysops.models.matrix import as_array
from recsysops.models.registration import Registration, registrations
from recsysops.replay.candidates import Candidates, read_requests
from recsysops.replay.copies import CopyRate
from recsysops.replay.reading import lineage_of, read_upstream
from recsysops.replay.replaying import Replay, replay
from recsysops.replay.tracing import Traced, copy_rates, trace
from recsysops.replay.upstream import ENTITY
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.table import Table

REFERENCE_DAYS = 7
REFERENCE_REQUESTS = 50
"""Requests of each earlier day on which it is found out what is a copy."""


def replay_day(
    tables: Mapping[str, Table],
    root: Path,
    day: date,
    n_requests: int | None = 200,
    *,
    trusted: Sequence[Path] = (),
) -> Replay:
    """Replay requests of a day.

    Args:
        tables: the workspace's, with candidates and models at least.
        root: the workspace folder, where model files lie.
        n_requests: at most so many, the same each time; all when None.
        trusted: further folders that model files may lie in.

    Raises:
        ConfigError: if the workspace has no models table.
        NotEnoughDataError: if the day has no candidates.
        SchemaError, SourceError: if tables cannot be read, or a feature of a model is not logged.
    """
    candidates = read_requests(tables["candidates"], day, n_requests)
    if not candidates.n_rows:
        raise NotEnoughDataError(
            "replay", found=f"no candidates on {day}", expected="a day that was logged", next_step="choose another day"
        )
    artifacts, problems = load_models(tables, root, candidates, trusted)
    traced = trace_all(tables, candidates, day)
    reference = _reference(tables, day) if traced else None
    slices = tables["candidates"].schema.slices
    return replay(candidates, artifacts, traced, reference, problems=problems, dimensions=slices)


def newest_day(table: Table) -> date:
    """The last day of UTC that a table of candidates has rows of.

    Raises:
        NotEnoughDataError: if it has no rows.
        SchemaError, SourceError: as ``Table.batches``.
    """
    clock = table.schema.role("ts")
    assert clock is not None, "candidates without ts are refused when they are opened"
    found: list[date] = []
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for partition in table.partitions():
            with partition_view(connection, table, partition, [clock.name], "r") as view:
                query = f"SELECT max({quote_identifier(clock.name)})::DATE FROM {view}"
                found += [day for (day,) in connection.execute(query).fetchall() if day is not None]
    if not found:
        raise NotEnoughDataError(table.name, found="no rows", expected="logged candidates", next_step="export some")
    return max(found)


def load_models(
    tables: Mapping[str, Table], root: Path, candidates: Candidates, trusted: Sequence[Path] = ()
) -> tuple[dict[str, Artifact], dict[str, str]]:
    """The registered models that the candidates name (all, where they name none), and why others could not be loaded."""
    if "models" not in tables:
        raise ConfigError(
            "replay",
            found="no models table",
            expected="the artifacts that served, with path and sha256",
            next_step="add the table to recsysops.yaml",
        )
    registered = registrations(tables["models"])
    values = candidates.role("model_id")
    named = set(registered) if values is None else set(map(str, pc.unique(as_array(values)).drop_null().to_pylist()))
    artifacts: dict[str, Artifact] = {}
    problems: dict[str, str] = {}
    for name in sorted(named & set(registered)):
        _load(registered[name], root, trusted, artifacts, problems)
    return artifacts, problems


def trace_all(tables: Mapping[str, Table], candidates: Candidates, day: date) -> list[Traced]:
    """The candidates' features beside their sources, for every upstream table that a lineage names and the workspace has."""
    until = datetime.combine(day + timedelta(days=1), time(), UTC)
    found = []
    for name, lineage in lineage_of(tables["candidates"]).items():
        ids = candidates.role(ENTITY[name])
        if name in tables and ids is not None:
            asked = pc.unique(as_array(ids))
            asked = asked.dictionary_decode() if pa.types.is_dictionary(asked.type) else asked
            upstream = read_upstream(tables[name], list(lineage.values()), until, asked)
            found.append(trace(candidates, upstream, lineage))
    return found


def _reference(tables: Mapping[str, Table], day: date) -> list[CopyRate] | None:
    """What is a copy, measured on some requests of the days before; None where there are none."""
    first = day - timedelta(days=REFERENCE_DAYS)
    earlier = read_requests(tables["candidates"], first, REFERENCE_REQUESTS, n_days=REFERENCE_DAYS)
    if not earlier.n_rows:
        return None
    return [rate for one in trace_all(tables, earlier, day) for rate in copy_rates(one)]


def _load(
    registration: Registration,
    root: Path,
    trusted: Sequence[Path],
    artifacts: dict[str, Artifact],
    problems: dict[str, str],
) -> None:
    try:
        artifacts[registration.model_id] = load_artifact(registration, root, trusted)
    except RecSysOpsError as error:  # the others are replayed; this one is told
        problems[registration.model_id] = str(error)
