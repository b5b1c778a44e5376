"""A log of candidates, outcomes and items in several partitions, counted with every built-in measure and view."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from engine_logs import (
    CANDIDATE_SETTINGS,
    FIRST_DAY,
    ITEMS,
    OUTCOME_SETTINGS,
    OUTCOMES,
    Row,
    candidate_rows,
    outcome_rows,
    write_partitions,
)

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.in_process import Engine, ProfilingSummary
from recsysops.engines.scan_task import Runner
from recsysops.profiles.measures import Cells, Cohort, Keyed, KeyedSample, Measure, PerRequest
from recsysops.tables.open_tables import open_tables, schema_of
from recsysops.tables.views.registered import with_views
from recsysops.triage.loading import load_detectors

SETTINGS = WorkspaceSettings.model_validate(
    {
        "tables": {
            "candidates": {"source": {"path": "candidates"}, **CANDIDATE_SETTINGS},
            "outcomes": {"source": {"path": "outcomes"}, **OUTCOME_SETTINGS},
            "items": {
                "source": {"path": "items.parquet"},
                "roles": {"item_id": "id", "as_of": "known", "launch_at": "launch"},
            },
        }
    }
)
MEASURES: tuple[Measure, ...] = (
    Cells("candidates", "score", "histogram"),
    Cells("candidates", "score", "moments"),
    Cells("candidates", "genre", "frequencies", pair="market"),
    Cells("candidates", by_hour=True),
    Keyed("candidates", 'it"em', ("rows", "requests", "impressions", "exposure")),
    PerRequest("candidates", "duplicate_key", ('it"em',)),
    KeyedSample("candidates", ("score", "feature.1"), k=16),
    Cohort(),
    Cells("outcomes", "kind", "frequencies"),
    Cells("requests"),
    Cells("impressions"),
)


def write_log(root: Path, n_parts: int = 6, n_requests: int = 40) -> None:
    """Below ``root``, as `SETTINGS` names it. The last partition of candidates is damaged."""
    parts = [_settled(candidate_rows(seed, n_requests), seed) for seed in range(n_parts)]
    write_partitions(root / "candidates", parts)
    write_partitions(root / "outcomes", [outcome_rows(seed, part) for seed, part in enumerate(parts)], OUTCOMES)
    known = [item for item in ITEMS if item]
    items = {"id": known, "known": [FIRST_DAY] * len(known), "launch": [FIRST_DAY] * len(known)}
    pq.write_table(pa.table(items), root / "items.parquet")
    damaged = root / "candidates" / f"part-{n_parts - 1:02d}.parquet"
    content = bytearray(damaged.read_bytes())
    content[40 : len(content) // 2] = bytes(len(content) // 2 - 40)
    damaged.write_bytes(content)


def _settled(rows: list[Row], part: int) -> list[Row]:
    """The rows with one market and device for each request, and no request in two partitions."""
    first: dict[str, Row] = {}
    settled = []
    for row in rows:
        request = f"{part} {row['request id']}"
        slices = {name: first.setdefault(request, row)[name] for name in ("market", "tv")}
        settled.append({**row, "request id": request, **slices})
    return settled


def count_log(
    root: Path, state: Path, runner: Runner | None = None, settings: WorkspaceSettings = SETTINGS
) -> ProfilingSummary:
    """Everything that detectors ask for, and `MEASURES`. One thread, as a worker has: DuckDB's several add in any order."""
    tables = open_tables(settings, root)
    loaded = load_detectors({}).asking(with_views(schema_of(tables)))
    return Engine(tables, state, n_threads=1, runner=runner).profile((*loaded.measures, *MEASURES))


def stored(state: Path) -> Mapping[str, bytes]:
    """Every profile by its name below the state folder."""
    folder = state / "profiles"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}
