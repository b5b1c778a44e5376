"""Score logged candidates again with the models that are registered for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.models.artifact import Artifact
from recsysops.models.matrix import as_array, feature_matrix
from recsysops.models.scoring import raw_scores, score, served_scores
from recsysops.replay.candidates import Candidates

Floats = npt.NDArray[np.float64]
BY_FALLBACK = "answered by a fallback"


@dataclass(frozen=True)
class Rescored:
    """What the registered models give for logged candidates, (n_rows,) each; NaN where a row could not be replayed."""

    raw: Floats
    """In the terms of the log's ``raw_score``."""
    served: Floats
    """After the calibration of the replayed margin; NaN where none is known."""
    recalibrated: Floats
    """After the calibration of the *logged* raw score: what the score should be if the raw score is right."""
    is_replayed: npt.NDArray[np.bool_]
    not_replayed: Mapping[str, int]
    """Rows by the reason why they could not be."""


def rescore(
    candidates: Candidates, artifacts: Mapping[str, Artifact], problems: Mapping[str, str] | None = None
) -> Rescored:
    """Replay the model on the logged features.

    Args:
        candidates: with every feature of the models; rows of several models may be mixed.
        artifacts: by model id.
        problems: why other models could not be loaded, by model id.

    Raises:
        SchemaError: if a feature of a model is not logged, or cannot be coded.
    """
    n_rows = candidates.n_rows
    raw, served, again = (np.full(n_rows, np.nan) for _ in range(3))
    model, names = _models(candidates, artifacts)
    is_fallback = np.zeros(n_rows, bool)
    if (flag := candidates.number("fallback")) is not None:
        is_fallback = flag == 1
    logged = candidates.number("raw_score")
    reasons = {BY_FALLBACK: int(is_fallback.sum())}
    is_replayed = np.zeros(n_rows, bool)
    for number, name in enumerate(names):
        rows = np.flatnonzero((model == number) & ~is_fallback)
        artifact = artifacts.get(name)
        if artifact is None or not len(rows):
            reason = (problems or {}).get(name, f"model {name} is not registered")
            reasons[reason] = reasons.get(reason, 0) + len(rows)
            continue
        is_replayed[rows] = True
        taken = {
            feature: _taken(candidates, feature, rows) for feature in artifact.features if feature in candidates.columns
        }
        margins = score(artifact, feature_matrix(artifact, taken))
        raw[rows] = raw_scores(artifact, margins)
        for target, of in ((served, margins), (again, _logged_margins(artifact, logged, rows, margins))):
            scores = served_scores(artifact, of)
            if scores is not None:
                target[rows] = scores
    return Rescored(raw, served, again, is_replayed, {reason: n for reason, n in reasons.items() if n})


def _models(candidates: Candidates, artifacts: Mapping[str, Artifact]) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Number of each row's model, and the models; a log that names none was scored by the only one there is."""
    values = candidates.role("model_id")
    if values is None:
        names = list(artifacts) if len(artifacts) == 1 else ["(not logged)"]
        return np.zeros(candidates.n_rows, np.int64), names
    texts = as_array(values)
    texts = (texts.dictionary_decode() if pa.types.is_dictionary(texts.type) else texts).cast(pa.string())
    coded = pc.dictionary_encode(pc.fill_null(texts, "(not logged)"))
    return coded.indices.to_numpy(zero_copy_only=False).astype(np.int64), coded.dictionary.to_pylist()


def _taken(candidates: Candidates, feature: str, rows: npt.NDArray[np.int64]) -> pa.Array:
    return as_array(candidates.columns[feature]).take(pa.array(rows))


def _logged_margins(artifact: Artifact, logged: Floats | None, rows: npt.NDArray[np.int64], margins: Floats) -> Floats:
    return margins if logged is None or artifact.raw_score != "margin" else logged[rows]
