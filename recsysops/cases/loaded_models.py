"""The models that a case can be replayed with."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from pathlib import Path

from recsysops.errors import RecSysOpsError
from recsysops.models.artifact import Artifact
from recsysops.replay.candidates import Candidates
from recsysops.replay.day import load_models
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
