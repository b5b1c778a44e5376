"""Whether serving did to a request what the sources and the model say, and where it first did not."""

from __future__ import annotations

from recsysops.cases.bisected import bisected
from recsysops.cases.evidence import Evidence
from recsysops.cases.replayed import replay_evidence
from recsysops.cases.request_case import RequestCase
from recsysops.cases.step import StepMeta


class RequestReplay:
    """At which stage does the request first differ from its replay?

    Features are fetched again as of the request and held against the logged ones, each with its class of difference (missing, stale by
    how long, other unit, of another key …); the logged model scores the logged features again, bit by bit; the score is calibrated
    again from the logged raw score; raw ranks must follow raw scores; and a model must have answered, not a fallback. The first
    stage that differs is the sign. How a feature comes from its source is learned from other requests of the same days and of
    the week before.

    Source: the point-in-time join of any feature store; the stages and grades are those of ``recsysops.replay``.
    """

    meta = StepMeta(name="request.replay", subjects=("request",))

    def examine(self, case: RequestCase) -> Evidence:
        """Replay the request stage by stage."""
        stages = bisected(case.log, case.checks, case.artifacts, case.problems)
        return replay_evidence(self.meta.name, case.log, case.checks, stages)
