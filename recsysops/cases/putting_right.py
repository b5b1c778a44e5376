"""Does a feature matter to a request? Give its rows the values of others, score again, and see which candidates come to the top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from recsysops.cases.evidence import Proof, share_proof
from recsysops.cases.subject_requests import SubjectRequests, taken, texts
from recsysops.models.artifact import Artifact
from recsysops.models.matrix import feature_matrix
from recsysops.models.scoring import score

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
N_DRAWS = 32
SLATE = 10
"""Where the log does not say what was shown."""
MOST_REQUESTS = 10


def slate_after_repair(
    requests: SubjectRequests, artifacts: Mapping[str, Artifact], features: Sequence[str], *, seed: int = 0
) -> Proof | None:
    """Share of the first candidates by the model that would be others, were the features as in others' requests.

    The values are joint draws of other requests' rows, whose mean margin counts. As many candidates count as were shown.
    None where no loaded model reads the features, or there are no other rows.

    Source: Breiman, Machine Learning 45 (2001), section 10, who replaces one feature at a time by draws of its column.
    """
    donors = np.flatnonzero(~requests.is_own_row)
    artifact = _artifact(requests, artifacts)
    places = [] if artifact is None else [artifact.features.index(one) for one in features if one in artifact.features]
    if artifact is None or not places or not len(donors):
        return None
    if any(name not in requests.rows.columns for name in artifact.features):
        return None
    own = np.flatnonzero(requests.is_own_row & (np.cumsum(requests.is_own)[requests.rows.request] <= MOST_REQUESTS))
    random = np.random.default_rng(seed)
    drawn = random.choice(donors, (N_DRAWS, len(own)))
    before = feature_matrix(artifact, taken(requests.rows, own).columns)
    values = feature_matrix(artifact, taken(requests.rows, drawn.ravel()).columns)[:, places]
    after = np.tile(before, (N_DRAWS, 1))
    after[:, places] = values
    margins = score(artifact, after, n_threads=2).reshape(N_DRAWS, len(own)).mean(axis=0)
    n_new, n = _new_at_the_top(requests, own, score(artifact, before, n_threads=2), margins)
    words = f"with values as in other requests {n_new} of the first {n} candidates would be others"
    return share_proof("repair", n_new, n, words)


def _artifact(requests: SubjectRequests, artifacts: Mapping[str, Artifact]) -> Artifact | None:
    """The newest of those that scored the subject's requests."""
    names = requests.own.role("model_id")
    if names is None:
        return next(iter(artifacts.values()), None) if len(artifacts) == 1 else None
    known = [name for name in texts(names).to_pylist() if name in artifacts]
    return artifacts[known[-1]] if known else None


def _new_at_the_top(requests: SubjectRequests, own: Integers, before: Floats, after: Floats) -> tuple[int, int]:
    request = requests.rows.request[own]
    shown = requests.rows.number("shown")
    n_new = n = 0
    for one in np.unique(request):
        mine = request == one
        n_top = SLATE if shown is None else int(np.nansum(shown[own][mine]))
        n_top = min(n_top or SLATE, int(mine.sum()))
        tops = [set(np.argsort(-scores[mine], kind="stable")[:n_top].tolist()) for scores in (before, after)]
        n_new, n = n_new + len(tops[1] - tops[0]), n + n_top
    return n_new, max(n, 1)
