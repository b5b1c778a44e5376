"""The rows of the view ``replayed``: logged candidates scored again, request by request."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.errors import RecSysOpsError
from recsysops.models.artifact import Artifact
from recsysops.models.loading import load_artifact
from recsysops.models.registration import registrations
from recsysops.replay.bisection import any_row
from recsysops.replay.candidates import Candidates
from recsysops.replay.grades import GRADES, MISMATCH
from recsysops.replay.replaying import GradedColumn, score_grades
from recsysops.replay.rescoring import BY_FALLBACK, rescore
from recsysops.tables.schema import TableSchema
from recsysops.tables.table import Table
from recsysops.tables.views.replayed import COLUMNS, sliced
from recsysops.tables.views.view import Folders, slices_of

TOP = 10
REPLAYED = "replayed"


def replayed_rows(sampled: pa.Table, tables: Mapping[str, Table], folders: Folders) -> pa.Table:
    """One row for each sampled request.

    Args:
        sampled: what the view's query gives: candidates under the names of roles, features and slices.
        tables: of the workspace, with candidates and models.
        folders: where model files may lie. One that is missing, altered or no model is the ``outcome`` of its requests.

    Raises:
        SchemaError, SourceError: if the models table cannot be read, or a feature holds what no model can be given.
    """
    base = tables["candidates"].schema
    candidates = logged(sampled, base)
    models = _model_ids(candidates)
    artifacts, problems = _load(tables["models"], models, candidates, folders)
    found = rescore(candidates, artifacts, problems)
    grades = score_grades(candidates, found, TOP)
    first = candidates.first_rows
    rows = {
        **{name: sampled.column(name).take(pa.array(first)) for name in ("request_id", "ts", "member_id")},
        "grade": _grade(grades.get("raw_score"), candidates),
        "raw_differs": _differs(grades.get("raw_score"), candidates),
        "score_differs": _differs(grades.get("score"), candidates),
        "outcome": pa.array(_outcomes(candidates, models, artifacts, problems), pa.string()),
        **{name: sampled.column(sliced(name)).take(pa.array(first)) for name in slices_of(base, COLUMNS)},
    }
    return pa.table(rows)


def logged(sampled: pa.Table, base: TableSchema) -> Candidates:
    """The rows under the names of the logs, which models know; scores in 32 bits where none needs more."""
    columns = {}
    for column in base.columns:
        names = (column.role, f"feature {column.name}", f"dim {column.name}")
        known = [name for name in names if name in sampled.column_names]
        if known:
            columns[column.name] = sampled.column(known[0]).combine_chunks()
    for role in ("raw_score", "score"):
        scores = base.role(role)
        if scores is not None:
            columns[scores.name] = _narrow(columns[scores.name])
    return Candidates(columns, base)


def _narrow(scores: pa.Array) -> pa.Array:
    values = scores.to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    is_same = np.isnan(values) | (single.astype(np.float64) == values)
    return scores.cast(pa.float32(), safe=False) if is_same.all() else scores


def _model_ids(candidates: Candidates) -> list[str | None]:
    """Of each request, by its first row; None where the log says none."""
    values = candidates.role("model_id")
    if values is None:
        return [None] * candidates.n_requests
    return [None if one is None else str(one) for one in values.take(pa.array(candidates.first_rows)).to_pylist()]


def _load(
    table: Table, models: list[str | None], candidates: Candidates, folders: Folders
) -> tuple[dict[str, Artifact], dict[str, str]]:
    """The models that the requests name (all, in a log that names none), and why others cannot be replayed."""
    registered = registrations(table)
    wanted = set(registered) if candidates.role("model_id") is None else {name for name in models if name}
    artifacts: dict[str, Artifact] = {}
    problems: dict[str, str] = {}
    for name in sorted(wanted & set(registered)):
        try:
            artifact = load_artifact(registered[name], folders.root, folders.trusted)
        except RecSysOpsError as error:  # the others are replayed; this one is told
            problems[name] = str(error)
            continue
        missing = [feature for feature in artifact.features if feature not in candidates.columns]
        if missing:
            problems[name] = f"model {name}: its feature {missing[0]} is not logged"
        else:
            artifacts[name] = artifact
    return artifacts, problems


def _outcomes(
    candidates: Candidates, models: list[str | None], artifacts: Mapping[str, Artifact], problems: Mapping[str, str]
) -> list[str]:
    flags = candidates.number("fallback")
    is_fallback = np.zeros(candidates.n_rows, bool) if flags is None else flags == 1
    only = next(iter(artifacts)) if candidates.role("model_id") is None and len(artifacts) == 1 else None
    return [
        BY_FALLBACK if by_fallback else _outcome(model or only, artifacts, problems)
        for model, by_fallback in zip(models, is_fallback[candidates.first_rows], strict=True)
    ]


def _outcome(model: str | None, artifacts: Mapping[str, Artifact], problems: Mapping[str, str]) -> str:
    if model is None:
        return "the log does not say which model"
    return REPLAYED if model in artifacts else problems.get(model, f"model {model} is not registered")


def _grade(column: GradedColumn | None, candidates: Candidates) -> pa.Array:
    names: npt.NDArray[np.object_] = np.full(candidates.n_requests, None, object)
    if column is not None and len(column.chosen):
        names[np.unique(candidates.request[column.chosen])] = np.array(GRADES, object)[column.graded.requests]
    return pa.array(names, pa.string())


def _differs(column: GradedColumn | None, candidates: Candidates) -> pa.Array:
    values: npt.NDArray[np.object_] = np.full(candidates.n_requests, None, object)
    if column is not None and len(column.chosen):
        request = candidates.request[column.chosen]
        flags = any_row(column.rows == MISMATCH, request, candidates.n_requests)
        known = np.unique(request)
        values[known] = flags[known]
    return pa.array(values, pa.bool_())
