"""The page of a diagnosis whose steps it knows nothing of, and its verdicts of other causes."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from page_outline import Outline, of_member, plain

from recsysops.cases.evidence import Evidence, Proof, Sign, share_proof, unknown
from recsysops.cases.verdict import Hypothesis, Verdict
from recsysops.reporting.diagnosis_page import diagnosis_page


def test_unknown_steps_are_shown_plainly() -> None:
    sign = Sign("stale", "cache c1", "3 of 10 slates are old", 1.0, share_proof("divergence", 3, 10, "3 of 10 slates"))
    rate = Sign("bot", "member m-17", "plays at once", 0.5, Proof("rate", 3.0, 1.25, 5.0, "plays a second"))
    lost = Sign("lost", "in none", "in none of 60", proof=share_proof("lost", 0, 60, "in none of 60"))
    rows = tuple(
        {"day": f"2026-10-{day}", "n_plays": 1000 * day, "of": ["a", "b"], "is_new": day > 20} for day in (11, 31)
    )
    history = Evidence(
        "member.history", "abnormal", "12 plays", (sign, rate, lost), {"n_rows": 1234, "days": [1, 2]}, rows, "SELECT 1"
    )
    page = plain(diagnosis_page(of_member((history, unknown("member.slates", "no slates table")))))
    outline = Outline(page)
    assert outline.drawings == []
    assert {"n plays", "31,000", "a, b", "yes", "no", "1,234", "SELECT 1", "could not look"} <= set(outline.texts)
    assert "3 of 10 slates: 30 % [10.8, 60.3 %]" in page
    assert '<b>lost</b>: in none of 60 <span class="soft">(0 % [0, 6 %])' in page
    assert "plays a second: 3 [1.25, 5]" in page
    answers = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert answers["proof"] == "none yet: it is only suspected"
    assert answers["could not look"] == "member.slates: no slates table"
    assert "2026-10-31 08:00 … 2026-10-31 20:30 UTC" in page


@pytest.mark.parametrize(
    ("cause", "title"), [("abstain", "No cause stands out"), ("legitimate", "No fault found"), ("model", "Model fault, trees: m1"), ("training", "Training fault, trees: m1")]
)  # fmt: skip
def test_other_causes_are_told_with_their_weight(cause: Any, title: str) -> None:
    ranked = (Hypothesis(cause, "trees", "m1", 0.4), Hypothesis("policy", "policy", "rule-7", 0.25))
    found = replace(of_member(()), verdict=Verdict(cause, "trees", "m1", "suspected", 0.4, None, "so", ranked))
    page = plain(diagnosis_page(found))
    assert f"<h1>{title}</h1>" in page
    assert "40 % of the belief" in page
    others = page.partition("<h2>Other causes</h2>")[2]
    assert re.findall(r"(\d+ %)</td>", others) == (["40 %"] if cause == "abstain" else []) + ["25 %", "35 %"]
    assert "Nothing that was looked at" in diagnosis_page(replace(found, verdict=replace(found.verdict, hypotheses=())))
