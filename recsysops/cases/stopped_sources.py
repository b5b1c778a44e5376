"""Upstream tables that have nothing new for longer than ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from recsysops.cases.evidence import Sign
from recsysops.cases.subject_requests import SubjectRequests
from recsysops.replay.as_of import NEVER
from recsysops.replay.tracing import Traced
from recsysops.replay.values import micros

LEAST_STEPS = 5
LATE = 1.5
"""Times the longest pause that the table ever made."""
HOUR = 3.6e9


def stopped_sources(requests: SubjectRequests, traced: Sequence[Traced]) -> Iterator[Sign]:
    """Tables whose newest row, as of the subject's last request, was older than any pause between rows before."""
    at = micros(requests.own.role("ts")).max(initial=0)
    for one in traced:
        moments = one.upstream.timeline.moments
        moments = moments[(moments <= at) & (moments < NEVER)]
        pauses = np.diff(moments)
        if len(pauses) < LEAST_STEPS:
            continue
        late = float(at - moments[-1])
        if late > LATE * pauses.max():
            words = f"{one.upstream.table} had nothing new for {late / HOUR:.0f} h; it never paused longer than {pauses.max() / HOUR:.0f} h"
            yield Sign("source stopped", one.upstream.table, words)
