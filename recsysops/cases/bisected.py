"""The way of a subject's requests stage by stage: features, raw score, calibration, rank, and whether a fallback answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from recsysops.cases.as_of_checks import AsOfCheck
from recsysops.cases.stage import Flags, Stage
from recsysops.cases.subject_requests import SubjectRequests, texts
from recsysops.errors import RecSysOpsError
from recsysops.models.artifact import Artifact
from recsysops.replay.bisection import any_row, is_out_of_order
from recsysops.replay.candidates import Candidates
from recsysops.replay.grades import MISMATCH
from recsysops.replay.replaying import score_grades
from recsysops.replay.rescoring import BY_FALLBACK, Rescored, rescore

TOP = 10


def bisected(
    requests: SubjectRequests,
    checks: Sequence[AsOfCheck],
    artifacts: Mapping[str, Artifact],
    problems: Mapping[str, str],
) -> tuple[Stage, ...]:
    """Follow the subject's requests; the fallback stands last, for it answers instead of a model."""
    own = requests.own
    found = [_features(requests, checks, problems.get("features", ""))]
    rescored, reason = _rescored(own, artifacts, problems)
    found += [_score(own, rescored, column, stage, reason) for column, stage in _SCORES]
    found += [_rank(own), _fallback(own)]
    earlier, stages = np.zeros(own.n_requests, bool), []
    for one in found:
        first = one.diverges & ~earlier
        stages.append(
            Stage(one.name, one.entity, one.looked, one.diverges, first, one.n_rows, one.n_rows_diverging, one.reason)
        )
        earlier |= one.diverges
    return tuple(stages)


_SCORES = (("raw_score", "raw_score"), ("score", "calibration"))


def _features(requests: SubjectRequests, checks: Sequence[AsOfCheck], reason: str) -> Stage:
    followed = [one for one in checks if one.is_followed]
    if not followed:
        alone = "" if requests.n_others else "there is no other request to learn from how features are made"
        nothing = alone or reason or "no feature could be held against its source"
        return _not_looked("features", "features", requests.n_own, nothing)
    wrong = [one for one in followed if one.is_wrong]
    rows = np.any([one.differs for one in wrong], axis=0) if wrong else np.zeros(requests.rows.n_rows, bool)
    rows &= requests.is_own_row
    diverges = (requests.share(rows) > 0)[requests.is_own]
    looked, entity = np.ones(len(diverges), bool), wrong[0].feature if wrong else "features"
    return _stage("features", entity, looked, diverges, requests.own.n_rows, int(rows.sum()), reason)


def _rescored(
    own: Candidates, artifacts: Mapping[str, Artifact], problems: Mapping[str, str]
) -> tuple[Rescored | None, str]:
    try:
        found = rescore(own, artifacts, problems)
    except RecSysOpsError as error:
        return None, str(error)
    reasons = (
        [problems["models"]] if "models" in problems else [one for one in found.not_replayed if one != BY_FALLBACK]
    )
    return found, "; ".join(reasons)


def _score(own: Candidates, found: Rescored | None, column: str, stage: str, reason: str) -> Stage:
    entity = _model(own)
    graded = score_grades(own, found, TOP).get(column) if found is not None else None
    if graded is None or not len(graded.chosen):
        everything = found is not None and found.not_replayed.get(BY_FALLBACK) == own.n_rows
        nothing = (
            "a fallback answered" if everything else f"nothing is logged or known of the {stage.replace('_', ' ')}"
        )
        return _not_looked(stage, entity, own.n_requests, reason or nothing)
    bad = np.zeros(own.n_rows, bool)
    bad[graded.chosen] = graded.rows == MISMATCH
    looked = np.isin(np.arange(own.n_requests), own.request[graded.chosen])
    diverges = any_row(bad, own.request, own.n_requests)
    return _stage(
        stage, entity, looked, diverges, len(graded.chosen), int(bad.sum()), reason if not looked.all() else ""
    )


def _rank(own: Candidates) -> Stage:
    rank, raw = own.number("raw_rank"), own.number("raw_score")
    column = own.schema.role("raw_rank")
    entity = column.name if column is not None else "raw_rank"
    if rank is None or raw is None:
        return _not_looked("rank", entity, own.n_requests, "raw ranks and raw scores are not both logged")
    by_model = ~_by_fallback(own)
    diverges = is_out_of_order(rank[by_model], raw[by_model], own.request[by_model], own.n_requests)
    looked = any_row(by_model, own.request, own.n_requests)
    return _stage("rank", entity, looked, diverges, int(by_model.sum()), int((diverges[own.request] & by_model).sum()))


def _fallback(own: Candidates) -> Stage:
    column = own.schema.role("fallback")
    if column is None:
        return _not_looked("fallback", "fallback", own.n_requests, "the log does not say whether a fallback answered")
    flags = _by_fallback(own)
    diverges = any_row(flags, own.request, own.n_requests)
    return _stage("fallback", column.name, np.ones(own.n_requests, bool), diverges, own.n_rows, int(flags.sum()))


def _by_fallback(own: Candidates) -> Flags:
    flags = own.number("fallback")
    return np.zeros(own.n_rows, bool) if flags is None else flags == 1


def _model(own: Candidates) -> str:
    names = own.role("model_id")
    known = [] if names is None else [one for one in texts(names).unique().to_pylist() if one is not None]
    return f"model {known[-1]}" if known else "model"


def _stage(name: str, entity: str, looked: Flags, diverges: Flags, n_rows: int, n_bad: int, reason: str = "") -> Stage:
    return Stage(name, entity, looked, diverges, diverges, n_rows, n_bad, reason)


def _not_looked(name: str, entity: str, n: int, reason: str) -> Stage:
    nothing = np.zeros(n, bool)
    return Stage(name, entity, nothing, nothing, nothing, 0, 0, reason)
