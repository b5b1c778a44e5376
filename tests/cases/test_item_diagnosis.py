"""Items of the streaming sample: the story's is convicted with proof, its innocent neighbours are not, planted faults are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from planted import copy_of_sample, keep_rows, replace_columns

from recsysops import Workspace
from recsysops.cases.diagnosis import Diagnosis
from recsysops.errors import NotEnoughDataError

POPULAR = "10053"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(copy_of_sample(tmp_path_factory.mktemp("sample") / "streaming"))


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    return copy_of_sample(tmp_path / "streaming")


def said(found: Diagnosis) -> tuple[str, str, str, str]:
    return found.verdict.cause, found.verdict.stage, found.verdict.entity, found.verdict.status


def test_the_wrong_language_of_item_123_is_convicted_with_a_repair(sample: Workspace) -> None:
    found = sample.diagnose_item("123")
    assert said(found) == ("input", "upstream", "items.original_language", "confirmed")
    assert found.verdict.proof is not None
    assert found.verdict.proof.value >= 0.8
    assert found.verdict.proof.low is not None
    assert found.verdict.proof.low > 0.5
    facts = found.step("item.facts")
    assert facts is not None
    assert (facts.rows[0]["before"], facts.rows[0]["now"]) == ("nb", "fo")
    assert facts.rows[0]["since"].startswith("2026-10-28T00:00")
    assert found.exit_code == 1


def test_the_gap_is_split_without_a_rest(sample: Workspace) -> None:
    gap = sample.diagnose_item("123").step("item.gap")
    assert gap is not None
    assert sum(row["phi"] for row in gap.rows) == pytest.approx(gap.figures["total"], abs=1e-6)


@pytest.mark.parametrize("item", ["110", "82", "45"])
def test_a_rightly_tagged_rare_title_and_its_like_are_innocent(sample: Workspace, item: str) -> None:
    found = sample.diagnose_item(item)
    assert found.verdict.cause == "legitimate"
    assert found.exit_code == 0


def test_a_price_that_a_recorded_sale_changed_is_no_fault(sample: Workspace) -> None:
    found = sample.diagnose_item(POPULAR)
    assert said(found)[::2] == ("legitimate", "items.price")
    assert "config prices" in found.verdict.words


def test_before_its_language_was_changed_item_123_is_innocent(sample: Workspace) -> None:
    assert sample.diagnose_item("123", day="2026-10-27").verdict.cause == "legitimate"


def test_scores_that_the_model_does_not_give_are_a_fault_of_the_artifact(planted: Path) -> None:
    replace_columns(planted, f"item_id = '{POPULAR}' AND NOT fallback", raw_score="raw_score - 1")
    found = Workspace(planted).diagnose_item(POPULAR)
    assert found.verdict.hypotheses[0].stage == "artifact"
    assert found.verdict.status == "confirmed"


def test_a_feature_that_differs_from_its_source_is_named(planted: Path) -> None:
    replace_columns(planted, "true", item_runtime_minutes="NULL")
    found = Workspace(planted).diagnose_item(POPULAR)
    replayed = found.step("item.replay")
    assert replayed is not None
    assert ("differs from its source", "item_runtime_minutes") in {(sign.name, sign.entity) for sign in replayed.signs}


def test_an_item_that_a_rule_filters_everywhere_is_lost_to_policy(planted: Path) -> None:
    replace_columns(planted, f"item_id = '{POPULAR}'", filtered_by="'rule-7'", shown="false")
    found = Workspace(planted).diagnose_item(POPULAR)
    assert ("policy", "confirmed") in {said(found)[::3]}


def test_an_item_that_left_the_candidates_is_lost_to_retrieval(planted: Path) -> None:
    keep_rows(planted, f"item_id <> '{POPULAR}'")
    found = Workspace(planted).diagnose_item(POPULAR)
    path = found.step("item.path")
    assert path is not None
    assert "not retrieved" in {sign.name for sign in path.signs}


def test_an_unknown_item_suggests_a_known_one(sample: Workspace) -> None:
    with pytest.raises(NotEnoughDataError, match="did you mean '10053'"):
        sample.diagnose_item("100533")


def test_without_models_the_path_is_still_told(planted: Path) -> None:
    for file in (planted / "models").glob("*.txt"):
        file.write_text(file.read_text() + "\n")  # no longer the registered digest
    found = Workspace(planted).diagnose_item("123")
    outcomes = {one.step: one.outcome for one in found.evidence}
    assert outcomes["item.replay"] == outcomes["item.gap"] == "unknown"
    assert outcomes["item.path"] == "normal"
    assert found.verdict.status == "suspected"
    assert found.verdict.entity == "items.original_language"
