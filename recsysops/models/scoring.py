"""Scores and contributions of a loaded model, for batches: numpy in, numpy out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsysops.errors import SchemaError
from recsysops.models.artifact import Artifact

Floats = npt.NDArray[np.float64]


def score(artifact: Artifact, matrix: Floats, *, n_threads: int = 1) -> Floats:
    """The model's margins (n_rows,): log-odds where it was trained on a yes or no.

    One machine gives the same bits for any number of threads and rows per call.

    Args:
        matrix: (n_rows, n_features) as ``models.matrix`` makes it.

    Raises:
        SchemaError: if the matrix has another number of columns than the model.
    """
    _refuse_misfit(artifact, matrix)
    if not len(matrix):
        return np.empty(0)
    return np.asarray(artifact.booster.predict(matrix, raw_score=True, num_threads=n_threads), np.float64)


def raw_scores(artifact: Artifact, margins: Floats) -> Floats:
    """What the logs call ``raw_score``: the margins, or their probabilities where the schema file says so."""
    if artifact.raw_score == "margin":
        return margins
    words = artifact.trees.objective.split()
    slopes = [float(word.partition(":")[2]) for word in words if word.startswith("sigmoid:")]
    return np.asarray(1 / (1 + np.exp(-(slopes or [1.0])[0] * margins)))


def served_scores(artifact: Artifact, margins: Floats) -> Floats | None:
    """What is served after calibration, (n_rows,), or None when no calibration is known."""
    return None if artifact.calibration is None else artifact.calibration(margins)


def contributions(artifact: Artifact, matrix: Floats, *, n_threads: int = 1) -> Floats:
    """SHAP values by the trees' own training counts (LightGBM's ``pred_contrib``).

    Returns:
        (n_rows, n_features + 1): one column per feature, then the expected margin; a row sums to its margin.

    Raises:
        SchemaError: if the matrix has another number of columns than the model.
    """
    _refuse_misfit(artifact, matrix)
    if not len(matrix):
        return np.empty((0, len(artifact.features) + 1))
    return np.asarray(artifact.booster.predict(matrix, pred_contrib=True, num_threads=n_threads), np.float64)


def _refuse_misfit(artifact: Artifact, matrix: Floats) -> None:
    if matrix.ndim != 2 or matrix.shape[1] != len(artifact.features):
        raise SchemaError(
            f"model {artifact.model_id}",
            found=f"a matrix of shape {matrix.shape}",
            expected=f"{len(artifact.features)} columns",
            next_step="make it with feature_matrix",
        )
