"""The evidence of a replay: every stage, the first that diverges, and each feature beside its source."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from recsysops.cases.as_of_checks import AsOfCheck, wrong_features
from recsysops.cases.evidence import Evidence
from recsysops.cases.stage import Stage
from recsysops.cases.subject_requests import SubjectRequests, texts

TOLD = 5
"""Requests that are named."""
NEEDED = ("features", "raw_score")
"""Stages without which nobody can say that a replay agrees."""


def replay_evidence(
    step: str,
    requests: SubjectRequests,
    checks: Sequence[AsOfCheck],
    stages: Sequence[Stage],
    *,
    usual: Collection[str] = (),
) -> Evidence:
    """Put the stages into words.

    Args:
        usual: stages whose divergence is as frequent with others, and no sign.
    """
    signs = list(wrong_features(checks, requests))
    signs += [stage.sign for stage in stages if stage.sign is not None and stage.name not in usual]
    reasons = [f"{one.name}: {one.reason}" for one in stages if one.name in NEEDED and one.reason]
    unseen = [one for one in stages if one.name in NEEDED and not one.looked.any()]
    answered = all(stage.diverges.all() for stage in stages if stage.name == "fallback")
    outcome = "abnormal" if signs else "unknown" if reasons or (unseen and not answered) else "normal"
    headline = _headline(stages, checks, usual) + ("; could not look at " + "; ".join(reasons) if reasons else "")
    figures = {
        "n_requests": requests.n_own,
        "n_others": requests.n_others,
        "first": next((one.name for one in stages if one.is_first.any() and one.name not in usual), None),
        "requests": _first_requests(requests, stages, usual),
        "stages": [one.to_dict() for one in stages],
    }
    return Evidence(step, outcome, headline, tuple(signs), figures, tuple(feature_row(one) for one in checks))


def feature_row(check: AsOfCheck) -> dict[str, Any]:
    """JSON-ready."""
    return {
        "feature": check.feature,
        "source": f"{check.table}.{check.source}",
        "n_rows": check.n_rows,
        "n_differing": check.n_differing if check.is_followed else None,
        "class": check.kind if check.is_followed else "not followed",
        "is_wrong": check.is_wrong,
        "usual": check.rank.usual if check.rank.n_others else None,
        **{str(key): value for key, value in check.details.items()},
    }


def _headline(stages: Sequence[Stage], checks: Sequence[AsOfCheck], usual: Collection[str]) -> str:
    first = next((one for one in stages if one.is_first.any() and one.name not in usual), None)
    n_followed = sum(one.is_followed for one in checks)
    features = f"{sum(one.is_followed and not one.is_wrong for one in checks)} of {n_followed} traced features equal their source"
    if first is not None:
        return f"diverges first at {first.name.replace('_', ' ')}; {features}"
    looked = [one.name.replace("_", " ") for one in stages if one.looked.any() and not one.diverges.any()]
    return f"agrees at {', '.join(looked) or 'no stage that could be looked at'}; {features}"


def _first_requests(requests: SubjectRequests, stages: Sequence[Stage], usual: Collection[str]) -> list[str]:
    """Ids of some requests that diverge."""
    names = texts(requests.own.role("request_id")).to_pylist()
    bad = [number for one in stages if one.name not in usual for number in np.flatnonzero(one.is_first)]
    return [str(names[requests.own.first_rows[number]]) for number in bad[:TOLD]]
