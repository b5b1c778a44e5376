"""Whether what the model is told of a member is what the feature store says, and whether that can be right."""

from __future__ import annotations

from typing import Any

from recsysops.cases.as_of_checks import wrong_features
from recsysops.cases.evidence import Evidence, Proof, Sign, unknown
from recsysops.cases.face_signs import face_signs
from recsysops.cases.faces import LEAST_OTHERS, face_checks
from recsysops.cases.member_case import MemberCase
from recsysops.cases.replayed import feature_row
from recsysops.cases.step import StepMeta
from recsysops.cases.stopped_sources import stopped_sources

TABLE = "member_features"


class MemberInputs:
    """Are the member's features missing, stale, defaulted or another member's?

    Each feature made of the member's row in the feature store is fetched again as of each request, and what differs is told with its
    class. Faces of missing are ranked among members alike: ``p = (1 + #{others with as much}) / (n + 1)``, an other being a member on a
    day. And the store itself may be wrong: facts that hardly ever change of a member (the day of joining) have changed, several
    at once where rows were mapped to another key; or a table has nothing new for longer than ever.

    Source: Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005), chapter 2, for the rank.
    """

    meta = StepMeta(name="member.inputs", subjects=("member",))

    def examine(self, case: MemberCase) -> Evidence:
        """Look at the features in the log, and at their table."""
        if case.log.n_others < LEAST_OTHERS:
            return unknown(self.meta.name, f"only {case.log.n_others} requests of others to compare with")
        checks = [one for one in case.checks if one.table == TABLE]
        faces = face_checks(case.log, case.checks)
        signs = (
            *wrong_features(checks, case.log),
            *face_signs(faces, case.log, case.artifacts),
            *_changed_facts(case),
            *stopped_sources(case.log, case.traced),
        )
        unseen = [case.problems[name] for name in (TABLE, "features") if name in case.problems]
        outcome = "abnormal" if signs else "unknown" if unseen else "normal"
        n_equal = sum(one.is_followed and not one.is_wrong for one in checks)
        n_followed = sum(one.is_followed for one in checks)
        equal = f"{n_equal} of {n_followed} features of the member equal their source"
        lacking = f"; could not look at all: {'; '.join(dict.fromkeys(unseen))}" if unseen else ""
        headline = signs[0].words if signs else f"{equal}, none lacks values that others have{lacking}"
        rows = (*(feature_row(one) for one in checks), *(one.to_dict() for one in faces))
        return Evidence(self.meta.name, outcome, headline, signs, _figures(case), rows)


def _changed_facts(case: MemberCase) -> tuple[Sign, ...]:
    """One fact may be corrected; several at once are another member's."""
    changes = case.facts.changes
    if not changes:
        return ()
    last = [one for one in changes if one.since == changes[-1].since]
    said = ", ".join(f"{one.column} {one.before} → {one.after}" for one in last)
    words = f"facts that hardly ever change of a member changed at {last[0].since:%Y-%m-%d %H:%M}: {said}"
    if len(last) == 1:
        return (Sign("fact changed", last[0].entity, words),)
    proof = Proof("change", float(len(last)), None, None, words)
    return (Sign("facts changed together", f"{TABLE}.key", words, proof=proof),)


def _figures(case: MemberCase) -> dict[str, Any]:
    return {
        "n_requests": case.log.n_own,
        "n_others": case.log.n_others,
        "n_alike": len(case.alike),
        "alike": case.problems.get("alike") or f"by {', '.join(case.facts.columns)}",
        "facts": list(case.facts.columns),
    }
