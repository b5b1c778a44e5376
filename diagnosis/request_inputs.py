"""Whether a request's features lack values that other requests have."""

from __future__ import annotations

from recsysops.cases.evidence import Evidence, unknown
from recsysops.cases.face_signs import face_signs
from recsysops.cases.faces import LEAST_OTHERS, face_checks
from recsysops.cases.request_case import RequestCase
from recsysops.cases.step import StepMeta


class RequestInputs:
    """Which features are missing, NaN or defaulted here and not in other requests?

    For each feature the share of the request's rows that have each face of missing, ranked among other requests of the same days, the week
    before and the same place: ``p = (1 + #{others with as much}) / (n + 1)``. Days on which others lack it more than usual do not count
    as usual. A missing value that the source lacks as well is told, and is no sign. What is odd is put right with values
    of other requests, and the model says which of the first candidates would be others.

    Source: Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005), chapter 2, for the rank.
    """

    meta = StepMeta(name="request.inputs", subjects=("request",))

    def examine(self, case: RequestCase) -> Evidence:
        """Compare the faces of missing with those of other requests."""
        if not case.own.schema.features:
            return unknown(self.meta.name, "the log names no features")
        if case.log.n_others < LEAST_OTHERS:
            return unknown(self.meta.name, f"only {case.log.n_others} other requests to compare with")
        found = face_checks(case.log, case.checks)
        signs = face_signs(found, case.log, case.artifacts)
        n = len(case.own.schema.features)
        headline = (
            signs[0].words
            if signs
            else f"of {n} features none lacks values that {case.log.n_others} other requests have"
        )
        rows = tuple(one.to_dict() for one in found)
        return Evidence(self.meta.name, "abnormal" if signs else "normal", headline, signs, {"n_features": n}, rows)
