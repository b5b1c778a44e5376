"""Explain: what is printed reproduces what was kept, and the arithmetic follows from its own terms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from looking_logs import DAYS
from scipy import stats

from recsysops import Workspace
from recsysops.cli import main
from recsysops.errors import ConfigError
from recsysops.looking.explain import Explanation
from recsysops.reporting.detect_report import DetectReport
from recsysops.reporting.explain_view import explain_lines
from recsysops.triage.arithmetic import GATES

Judged = tuple[Path, DetectReport]


def terms_of(told: Explanation) -> dict[str, float]:
    return {term.name: term.value for term in told.finding.arithmetic}


@pytest.fixture(scope="module")
def told(judged: Judged) -> dict[str, Explanation]:
    folder, report = judged
    names = [name for incident in report.incidents for name in incident.finding_ids]
    assert names
    return {name: Workspace(folder).explain(name) for name in names}


def test_every_finding_is_reproduced_exactly(judged: Judged, told: dict[str, Explanation]) -> None:
    for name, one in told.items():
        kept = judged[1].findings[name]
        assert one.differs == ()
        assert (one.finding.value, one.finding.p_value, one.finding.effect) == (kept.value, kept.p_value, kept.effect)
        assert one.is_reported


def test_arithmetic_of_a_rate_follows_from_its_terms(judged: Judged, told: dict[str, Explanation]) -> None:
    one = next(one for one in told.values() if one.finding.statistic == "null_rate")
    finding, term = one.finding, terms_of(one)
    assert {each.gate for each in finding.arithmetic} == set(GATES)
    assert term["flagged rows, current"] / term["rows, current"] == finding.value
    assert term["flagged rows, reference"] / term["rows, reference"] == finding.reference_value
    change = abs(term["change in points"]) / term["floor in points"]
    assert finding.effect >= change - 1e-12
    n_days = term["reference days"]
    moderated = term["variance between days, moderated"]
    estimated, usual = term["variance between days, estimated"], term["variance between days, usual"]
    assert moderated == pytest.approx((8 * usual + (n_days - 1) * estimated) / (8 + n_days - 1))
    sampling = [term["design effect, " + one] / (4 * term["rows, " + one]) for one in ("reference", "current")]
    error = np.sqrt(moderated * (1 / n_days + 1) + sum(sampling))
    assert term["standard error"] == pytest.approx(error)
    t = (term["asin √rate, current"] - term["asin √rate, reference"]) / error
    assert finding.p_value == pytest.approx(2 * stats.t.sf(abs(t), term["degrees of freedom"]), rel=1e-9)
    assert np.sin(term["asin √rate, current"]) ** 2 == pytest.approx(finding.value)
    assert len(finding.series) == len(one.reference) + 1


def test_limit_of_the_day_follows_from_the_budget(told: dict[str, Explanation]) -> None:
    for one in told.values():
        budget = one.budgeting
        nominal = budget.digest_per_week / 7 * budget.share / budget.n_series
        assert budget.nominal.digest == pytest.approx(nominal)
        assert budget.limits.digest <= budget.nominal.digest
        p_value = one.finding.p_value
        if p_value is not None and not budget.was_near_before:
            assert one.is_reported == (p_value <= budget.limits.digest)


def test_screen_and_json(judged: Judged, told: dict[str, Explanation], capsys: pytest.CaptureFixture[str]) -> None:
    one = next(one for one in told.values() if one.finding.statistic == "null_rate")
    lines = [line.text for line in explain_lines(one, 100)]
    text = "\n".join(lines)
    assert "exactly those kept" in text
    assert "Is it beyond the noise of rows clustered in requests?" in text
    assert one.finding.query in text
    for words in (["detect", "--explain", one.finding.id], ["show", "--finding", one.finding.id]):
        assert main(["-w", str(judged[0]), *words, "--json"]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert answer["reproduces"]
        assert answer["finding"]["id"] == one.finding.id
        assert answer["reference"] == [day.isoformat() for day in one.reference]
        assert one.reference[-1] < DAYS[-1]


def test_an_unknown_finding_names_the_nearest(judged: Judged, told: dict[str, Explanation]) -> None:
    near = next(iter(told))
    with pytest.raises(ConfigError, match="did you mean"):
        Workspace(judged[0]).explain(near[:-1] + "z")


def test_a_difference_is_told_not_hidden(told: dict[str, Explanation]) -> None:
    from dataclasses import replace

    one = next(iter(told.values()))
    changed = replace(one, kept=replace(one.kept, value=one.kept.value + 0.5))
    assert [name for name, *_ in changed.differs] == ["value"]
    assert "differs from what was kept" in "\n".join(line.text for line in explain_lines(changed, 200))
