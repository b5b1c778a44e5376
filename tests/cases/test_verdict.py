"""Signs add up; a verdict is confirmed by what proves, or by what is wrong and a repair of the same thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsysops.cases.evidence import Evidence, Proof, Sign
from recsysops.cases.verdict import Hypothesis, Verdict, Weight, weigh

TABLE = {
    "wrong": Weight("input", "upstream", 2.0, "wrong"),
    "repaired": Weight("input", "upstream", 3.0, "repairs"),
    "diverges": Weight("model", "artifact", 4.0, "proves"),
    "hinted": Weight("policy", "policy", 1.0),
}
PROOF = Proof("repair", 0.9, 0.7, 1.1, "closes 90 %")
NORMAL = Hypothesis("legitimate", "world", "item 1", 0.6, (Sign("fine", "item 1", "all is well"),))


def judged(*signs: Sign, normal: Hypothesis | None = None) -> Verdict:
    return weigh([Evidence("a", "abnormal", "", (sign,)) for sign in signs], TABLE, normal=normal)


def test_what_is_wrong_and_repaired_is_confirmed_with_the_repair_as_proof() -> None:
    found = judged(Sign("wrong", "items.x", "x is gone"), Sign("repaired", "items.x", "closes 90 %", proof=PROOF))
    assert (found.cause, found.stage, found.entity, found.status) == ("input", "upstream", "items.x", "confirmed")
    assert found.proof == PROOF
    assert found.confidence == pytest.approx(0.99, abs=0.001)


def test_a_repair_of_something_else_confirms_nothing() -> None:
    found = judged(Sign("wrong", "items.x", "x is gone"), Sign("repaired", "items.y", "closes 90 %", proof=PROOF))
    assert (found.entity, found.status, found.proof) == ("items.y", "suspected", None)
    assert [one.entity for one in found.hypotheses] == ["items.y", "items.x"]


def test_a_proof_by_itself_confirms_and_without_a_number_it_does_not() -> None:
    assert judged(Sign("diverges", "model m", "differs", proof=PROOF)).status == "confirmed"
    assert judged(Sign("diverges", "model m", "differs")).status == "suspected"


def test_nothing_seen_is_legitimate_only_where_everything_was_looked_at() -> None:
    assert judged().cause == "abstain"
    assert judged(normal=NORMAL).cause == "legitimate"
    assert judged(Sign("hinted", "rule", "a deploy"), normal=NORMAL).cause == "legitimate"
    assert judged(Sign("hinted", "rule", "a deploy", strength=0.1)).cause == "policy"


def test_causes_as_likely_as_each_other_are_no_verdict() -> None:
    found = judged(Sign("wrong", "items.x", "x"), Sign("wrong", "items.y", "y"))
    assert (found.cause, found.status) == ("abstain", "suspected")
    assert len(found.hypotheses) == 2


def test_one_sign_twice_counts_once() -> None:
    once, twice = judged(Sign("wrong", "items.x", "x")), judged(*[Sign("wrong", "items.x", "x")] * 2)
    assert once.confidence == twice.confidence


def test_a_sign_that_the_table_does_not_know_is_an_error() -> None:
    with pytest.raises(KeyError):
        judged(Sign("unheard of", "x", "x"))


@given(st.lists(st.tuples(st.sampled_from(sorted(TABLE)), st.sampled_from("abc"), st.floats(0, 1))))
def test_shares_of_belief_stay_below_one_and_are_in_order(signs: list[tuple[str, str, float]]) -> None:
    found = judged(*(Sign(name, entity, "", strength) for name, entity, strength in signs))
    weights = [one.weight for one in found.hypotheses]
    assert weights == sorted(weights, reverse=True)
    assert sum(weights) < 1
    assert found.status == "suspected"  # none had a proof
