"""Whether serving did to a member's requests what the sources and the models say."""

from __future__ import annotations

from recsysops.cases.bisected import bisected
from recsysops.cases.evidence import Evidence
from recsysops.cases.member_case import MemberCase
from recsysops.cases.replayed import replay_evidence
from recsysops.cases.step import StepMeta
from recsysops.cases.usual_fallbacks import falls_back_as_others


class MemberReplay:
    """At which stage do the member's requests first differ from their replay?

    Every request of the member goes through the stages of a replay: features as of the request, raw score, calibration, rank. The first stage
    that differs is the sign, with the share of requests and Wilson's interval (1927). A fallback answers some requests of
    everybody: it is a sign where it answers more of the member's than of others' (Newcombe's interval, 1998).
    """

    meta = StepMeta(name="member.replay", subjects=("member",))

    def examine(self, case: MemberCase) -> Evidence:
        """Replay the member's requests stage by stage."""
        stages = bisected(case.log, case.checks, case.artifacts, case.problems)
        usual = ("fallback",) if falls_back_as_others(case.log) else ()
        return replay_evidence(self.meta.name, case.log, case.checks, stages, usual=usual)
