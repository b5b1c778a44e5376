"""Of which items the logged raw scores are that the registered models do not give again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsysops.models.matrix import as_array
from recsysops.replay.candidates import read_requests
from recsysops.replay.day import load_models
from recsysops.replay.grades import MISMATCH
from recsysops.replay.replaying import score_grades
from recsysops.replay.rescoring import rescore
from recsysops.tables.table import Table

N_REQUESTS = 300


def differing_items(tables: Mapping[str, Table], root: Path, day: date, trusted: Sequence[Path] = ()) -> dict[str, int]:
    """Candidates by item, of the requests with the smallest hashes, whose raw score differs beyond rounding.

    Raises:
        ConfigError: if the workspace has no models table.
        SchemaError, SourceError: if tables cannot be read, or a feature of a model is not logged.
    """
    candidates = read_requests(tables["candidates"], day, N_REQUESTS)
    artifacts, problems = load_models(tables, root, candidates, trusted)
    graded = score_grades(candidates, rescore(candidates, artifacts, problems), 10).get("raw_score")
    if graded is None:
        return {}
    rows = graded.chosen[np.flatnonzero(graded.rows == MISMATCH)]
    items = as_array(candidates.role("item_id")).cast(pa.string()).take(pa.array(rows))
    return dict(Counter(items.to_pylist()))
