"""The audit of a new artifact: what differs is told, what is usual or planned is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from recsysops.detectors.artifact_change import ArtifactChange
from recsysops.models.model_facts import ModelFacts
from recsysops.models.registration import Registration
from recsysops.models.structure import FeatureUse, Structure
from recsysops.profiles.history import Change, Context
from recsysops.tables.schema import Column, Schema, TableSchema
from recsysops.testing.histories import ArrayHistory
from recsysops.triage.findings import Finding, Skipped

FIRST = datetime(2026, 9, 7, 4, tzinfo=UTC)
DAY = date(2026, 10, 12)
SCHEMA = Schema(
    {"models": TableSchema("models", (Column("name", "categorical", "model_id"), Column("list", "other", "features")))}
)


def model(week: int, **changes: Any) -> ModelFacts:
    trained = FIRST + timedelta(weeks=week)
    registration = Registration(
        f"m-{week}", f"models/m-{week}.txt", trained_at=trained, training_start=trained - timedelta(days=15),
        training_end=trained - timedelta(days=2), training_rows=16_000 + 100 * (week % 3), metrics={"auc": 0.65 + 0.01 * (week % 2)},
    )  # fmt: skip
    uses = tuple(
        FeatureUse(name, 50, share, left, ())
        for name, share, left in (("a", 0.5, 0.9), ("b", 0.3, 0.2), ("c", 0.2, None))
    )
    facts = ModelFacts(registration, Structure(f"m-{week}", "0", 80, 2_000, uses))
    structure = {name: changes.pop(name) for name in ("n_trees", "features") if name in changes}
    assert facts.structure is not None
    known = {name: changes.pop(name) for name in ("disagreements", "problem") if name in changes}
    return replace(
        facts, registration=replace(registration, **changes), structure=replace(facts.structure, **structure), **known
    )


def audited(new: ModelFacts, n_before: int = 5, changes: tuple[Change, ...] = ()) -> list[Finding]:
    models = (*(model(week) for week in range(5 - n_before, 5)), new)
    now = datetime(2026, 10, 13, tzinfo=UTC)
    days = tuple(DAY - timedelta(days=back) for back in range(28, 0, -1))
    context = Context(now, "days", days, (DAY,), SCHEMA, changes, models=models)
    return [one for one in ArtifactChange().judge(ArrayHistory(context)) if isinstance(one, Finding)]


def uses(*shares: tuple[str, float, float | None]) -> tuple[FeatureUse, ...]:
    return tuple(FeatureUse(name, 50, share, left, ()) for name, share, left in shares)


def test_a_model_like_the_others_is_no_news() -> None:
    assert audited(model(5)) == []


@pytest.mark.parametrize(
    ("changes", "statistic"),
    [
        ({"n_trees": 8}, "n_trees"),
        ({"training_rows": 9_000}, "training_rows"),
        ({"training_end": FIRST + timedelta(weeks=5, days=-3)}, "training_lag_days"),
        ({"metrics": {"auc": 0.95}}, "auc"),
        ({"features": uses(("a", 0.5, 0.9), ("c", 0.5, None))}, "features"),
        ({"features": uses(("b", 0.3, 0.2), ("a", 0.5, 0.9), ("c", 0.2, None))}, "features"),
        ({"features": uses(("a", 0.1, 0.9), ("b", 0.1, 0.2), ("c", 0.8, None))}, "importance_moved"),
        ({"features": uses(("a", 0.5, 0.1), ("b", 0.3, 0.2), ("c", 0.2, None))}, "flipped"),
        ({"disagreements": ("the models table has b at place 1 where the model has a",)}, "disagreement"),
    ],
)
def test_what_differs_is_told(changes: dict[str, Any], statistic: str) -> None:
    found = audited(model(5, **changes))
    assert statistic in {one.statistic for one in found}
    assert {one.subject.id for one in found} == {"m-5"}


def test_a_file_that_was_altered_is_critical_and_one_that_is_missing_cannot_be_looked_at() -> None:
    altered = replace(model(5), structure=None, problem="found a file with sha256 12ab…, expected 98fe… as registered")
    (found,) = audited(altered)
    assert (found.statistic, found.severity, found.stage) == ("digest", "critical", "artifact")
    gone = replace(altered, problem="model m-5: found no such file")
    context = Context(datetime(2026, 10, 13, tzinfo=UTC), "days", (), (DAY,), SCHEMA, models=(gone,))
    verdicts = list(ArtifactChange().judge(ArrayHistory(context)))
    assert [one.reason for one in verdicts if isinstance(one, Skipped)] == [gone.problem]


def test_what_training_was_told_to_do_is_information() -> None:
    plan = Change(FIRST + timedelta(weeks=5, days=-2), "config", "training")
    (found,) = audited(model(5, n_trees=150), changes=(plan,))
    assert found.severity == "info"
    (alarm,) = audited(model(5, n_trees=150))
    assert alarm.severity == "warning"


def test_two_models_do_not_tell_what_is_usual_but_disagreement_needs_none() -> None:
    assert audited(model(5, n_trees=8), n_before=2) == []
    assert audited(model(5, disagreements=("x",)), n_before=0)[0].statistic == "disagreement"
