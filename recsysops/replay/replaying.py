"""A replay as a whole: score again, fetch again, and say where the first difference arises."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.models.artifact import Artifact
from recsysops.models.matrix import as_array
from recsysops.replay.bisection import STAGES, Divergence, any_row, divergences, first_stage, is_out_of_order
from recsysops.replay.candidates import Candidates
from recsysops.replay.copies import CopyRate
from recsysops.replay.differences import ColumnDifferences
from recsysops.replay.grades import MISMATCH, Graded, graded
from recsysops.replay.rescoring import Rescored, rescore
from recsysops.replay.tracing import Traced, copy_rates, differing_rows, feature_differences

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Replay:
    """What a replay of logged requests found."""

    n_requests: int
    n_rows: int
    n_rows_replayed: int
    not_replayed: Mapping[str, int]
    """Rows by the reason why the model could not be replayed on them."""
    grades: Mapping[str, Mapping[str, int]]
    """Requests by grade, for ``raw_score`` and ``score`` (the calibration of the logged raw score)."""
    copies: tuple[CopyRate, ...]
    """Features with a lineage, and whether they were found to be copies."""
    differences: tuple[ColumnDifferences, ...]
    first_stage: npt.NDArray[np.int8]
    """(n_requests,): places in ``STAGES``, the number of stages where all agree."""
    divergences: tuple[Divergence, ...]
    stages: tuple[str, ...]
    """Those that could be looked at."""

    @property
    def match_rate(self) -> float:
        """Share of requests that agree at every stage that could be looked at for them, in [0, 1]; NaN without any.

        A request that a fallback answered has no scores to compare; its features are compared all the same.
        """
        return float(np.mean(self.first_stage == len(STAGES))) if len(self.first_stage) else float("nan")


def replay(
    candidates: Candidates,
    artifacts: Mapping[str, Artifact],
    traced: Sequence[Traced] = (),
    reference: Sequence[CopyRate] | None = None,
    *,
    problems: Mapping[str, str] | None = None,
    dimensions: Collection[str] = (),
    top_k: int = 10,
) -> Replay:
    """Replay logged candidates.

    Args:
        candidates: whole requests.
        artifacts: registered models by id.
        traced: the candidates' features beside their sources, one for each upstream table.
        reference: what is a copy, measured on other, earlier requests; on these themselves when None.
        problems: why models could not be loaded, by id.
        dimensions: columns of the log by whose values divergences are told apart, beside model and host.
        top_k: how many first candidates must keep their order.
    """
    found = rescore(candidates, artifacts, problems)
    rates = tuple(reference if reference is not None else (rate for one in traced for rate in copy_rates(one)))
    copies = {rate.column for rate in rates if rate.is_copy}
    columns = [(one, feature_differences(one, copies)) for one in traced]
    grades = score_grades(candidates, found, top_k)
    n = candidates.n_requests
    diverges = {stage: _requests(grade.rows == MISMATCH, grade, candidates) for stage, grade in _by_stage(grades)}
    if copies:
        flags = np.any([differing_rows(one, columns_of) for one, columns_of in columns], axis=0)
        diverges["features"] = any_row(flags, candidates.request, n)
    diverges |= _rank(candidates, found)
    first = first_stage(diverges, n)
    return Replay(
        n_requests=n,
        n_rows=candidates.n_rows,
        n_rows_replayed=int(found.is_replayed.sum()),
        not_replayed=found.not_replayed,
        grades={name: grade.graded.counts for name, grade in grades.items()},
        copies=rates,
        differences=tuple(column for _, columns_of in columns for column in columns_of),
        first_stage=first,
        divergences=divergences(first, _groups(candidates, dimensions)),
        stages=tuple(stage for stage in STAGES if stage in diverges),
    )


@dataclass(frozen=True)
class GradedColumn:
    """Grades of one column of scores, on the rows that could be replayed."""

    chosen: npt.NDArray[np.int64]
    graded: Graded

    @property
    def rows(self) -> npt.NDArray[np.int8]:
        return self.graded.rows


def score_grades(candidates: Candidates, found: Rescored, top_k: int) -> dict[str, GradedColumn]:
    """The raw score against the model's; the score against the calibration of the logged raw score."""
    raw, score = _scores(candidates, "raw_score"), _scores(candidates, "score")
    graded_columns = {}
    has_calibration = ~np.isnan(found.served) & found.is_replayed
    if raw is not None:
        graded_columns["raw_score"] = _graded(raw, found.raw, found.is_replayed, candidates, top_k)
        if score is not None and has_calibration.any():
            knows = ~np.isnan(found.recalibrated) & found.is_replayed
            graded_columns["score"] = _graded(score, found.recalibrated, knows, candidates, top_k)
    elif score is not None:
        whole = np.where(has_calibration, found.served, found.raw)
        graded_columns["raw_score"] = _graded(score, whole, found.is_replayed, candidates, top_k)
    return graded_columns


def _graded(
    logged: npt.NDArray[np.float64], replayed: npt.NDArray[np.float64], flags: Flags, candidates: Candidates, top_k: int
) -> GradedColumn:
    chosen = np.flatnonzero(flags)
    request = np.unique(candidates.request[chosen], return_inverse=True)[1].astype(np.int64)
    return GradedColumn(chosen, graded(logged[chosen], replayed[chosen], request, top_k=top_k))


def _by_stage(grades: Mapping[str, GradedColumn]) -> list[tuple[str, GradedColumn]]:
    return [
        (stage, grades[name])
        for stage, name in (("raw_score", "raw_score"), ("calibration", "score"))
        if name in grades
    ]


def _requests(flags: Flags, grade: GradedColumn, candidates: Candidates) -> Flags:
    return any_row(flags, candidates.request[grade.chosen], candidates.n_requests)


def _rank(candidates: Candidates, found: Rescored) -> dict[str, Flags]:
    """Logged raw ranks against logged raw scores, where a model answered."""
    rank, raw = candidates.number("raw_rank"), candidates.number("raw_score")
    if rank is None or raw is None:
        return {}
    chosen = np.flatnonzero(found.is_replayed)
    return {"rank": is_out_of_order(rank[chosen], raw[chosen], candidates.request[chosen], candidates.n_requests)}


def _scores(candidates: Candidates, role: str) -> npt.NDArray[np.float64] | None:
    """As the log keeps them, in 32 bits or 64; missing ones as NaN."""
    values = candidates.role(role)
    if values is None:
        return None
    array = as_array(values)
    kind = pa.float32() if pa.types.is_float32(array.type) else pa.float64()
    scores: npt.NDArray[np.float64] = array.cast(kind, safe=False).to_numpy(zero_copy_only=False)
    return scores


def _groups(candidates: Candidates, dimensions: Collection[str]) -> dict[str, list[str]]:
    """Each request's value of the dimensions that tell divergences apart."""
    names = [column.name for role in ("model_id", "host") if (column := candidates.schema.role(role)) is not None]
    first = pa.array(candidates.first_rows)
    groups = {}
    for name in dict.fromkeys([*names, *dimensions]):
        if name in candidates.columns:
            values = as_array(candidates.columns[name]).take(first)
            groups[name] = ["(none)" if value is None else str(value) for value in values.to_pylist()]
    return groups
