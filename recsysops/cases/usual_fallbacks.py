"""Whether a fallback answers a subject no more often than others."""

from __future__ import annotations

from recsysops.cases.subject_requests import SubjectRequests
from recsysops.replay.bisection import any_row
from recsysops.statistics.proportion_comparison import compare_proportions

LEAST_EXCESS = 0.05
CONFIDENCE = 0.99


def falls_back_as_others(requests: SubjectRequests) -> bool:
    """Whether the share of fallbacks lies less than five points above that of others, chance considered."""
    flags = requests.rows.number("fallback")
    if flags is None or not requests.n_others:
        return True
    by_fallback = any_row(flags == 1, requests.rows.request, requests.rows.n_requests)
    own, others = by_fallback[requests.is_own], by_fallback[~requests.is_own]
    found = compare_proportions(int(others.sum()), len(others), int(own.sum()), len(own), confidence=CONFIDENCE)
    return bool(found.difference_low <= LEAST_EXCESS)
