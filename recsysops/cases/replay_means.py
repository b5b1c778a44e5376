"""What a case is replayed with: the models that scored its rows, and the rows' features beside their upstream sources."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from datetime import timedelta
from pathlib import Path

from recsysops.cases.subject import Window
from recsysops.errors import RecSysOpsError
from recsysops.models.artifact import Artifact
from recsysops.replay.candidates import Candidates
from recsysops.replay.day import load_models, trace_all
from recsysops.replay.reading import lineage_of
from recsysops.replay.tracing import Traced
from recsysops.tables.table import Table


def loaded_models(
    tables: Mapping[str, Table],
    root: Path,
    rows: Candidates,
    trusted: Sequence[Path],
    problems: MutableMapping[str, str],
) -> dict[str, Artifact]:
    """The registered models that the rows name; what needs none is examined without them.

    Args:
        problems: is told why models could not be loaded: by their id, or under ``models`` where none could.
    """
    if "models" not in tables:
        problems["models"] = "the workspace has no models table"
        return {}
    try:
        artifacts, found = load_models(tables, root, rows, trusted)
    except RecSysOpsError as error:
        problems["models"] = str(error)
        return {}
    problems.update(found)
    return artifacts


def traced_features(
    tables: Mapping[str, Table], rows: Candidates, window: Window, problems: MutableMapping[str, str]
) -> tuple[Traced, ...]:
    """The rows' features beside what their sources had.

    Args:
        problems: is told under ``features`` which could not be looked up.
    """
    lineage = lineage_of(tables["candidates"])
    lacking = [
        f"no table {name}, which {len(of)} features come from" for name, of in lineage.items() if name not in tables
    ]
    if not lineage:
        lacking = ["no feature of the log names its source (lineage)"]
    try:
        found = tuple(trace_all(tables, rows, (window.end - timedelta(microseconds=1)).date()))
    except RecSysOpsError as error:
        found, lacking = (), [str(error)]
    if lacking:
        problems["features"] = "; ".join(lacking)
    return found
