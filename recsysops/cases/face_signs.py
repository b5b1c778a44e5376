"""What odd faces of missing speak for, and whether the model feels them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recsysops.cases.evidence import Sign
from recsysops.cases.faces import FaceCheck
from recsysops.cases.putting_right import slate_after_repair
from recsysops.cases.subject_requests import SubjectRequests
from recsysops.models.artifact import Artifact

FADES = 0.5
"""What each further feature weighs beside the one before."""


def face_signs(
    checks: Sequence[FaceCheck], requests: SubjectRequests, artifacts: Mapping[str, Artifact]
) -> tuple[Sign, ...]:
    """A sign for each odd feature, and one more where values of others would bring other candidates to the top.

    A feature with one value for all rows of a request may be missing because nothing is known of the member; that is told,
    and accuses nobody.
    """
    signs, place = [], 0
    for feature in dict.fromkeys(one.feature for one in checks if one.is_odd):
        odd = next(one for one in checks if one.feature == feature and one.is_odd)
        if odd.is_of_request:
            signs.append(Sign("nothing known", feature, odd.words))
            continue
        strength = FADES**place
        signs.append(Sign("feature missing", feature, odd.words, strength))
        proof = slate_after_repair(requests, artifacts, [feature])
        if proof is not None and proof.value > 0:
            signs.append(Sign("repair changes the slate", feature, proof.words, strength, proof))
        place += 1
    return tuple(signs)
