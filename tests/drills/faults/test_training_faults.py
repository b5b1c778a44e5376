"""Faults of training: what the trainer is given shows in the registry at once, and in scores once the model answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny_world import Ran, TinyWorld, rng

from recsysops.drills.fault import CannotPlantError, Moment, Planted
from recsysops.drills.faults.future_leakage import FutureLeakage
from recsysops.drills.faults.popularity_runaway import PopularityRunaway
from recsysops.drills.faults.stale_training_day import StaleTrainingDay
from recsysops.drills.faults.underfit import Underfit
from recsysops.drills.planting.retraining import due_at_onset
from recsysops.drills.rows import Rows
from recsysops.testing.example_site import example_site

N_DAYS = 3
KINDS = (FutureLeakage, StaleTrainingDay, Underfit, PopularityRunaway)


class Retraining:
    """No fault: a model out of turn, to compare others with."""

    def __init__(self) -> None:
        self.seen: dict[str, Rows] = {}

    def training(self, rows: Rows, moment: Moment) -> Rows:
        return due_at_onset(rows, moment)

    def training_rows(self, rows: Rows, moment: Moment) -> Rows:
        self.seen["rows"] = rows
        return rows


@pytest.fixture(scope="module")
def honest(tiny_world: TinyWorld) -> tuple[Ran, Rows]:
    """Days with a model trained out of turn, and the rows that it was trained on."""
    acting = Retraining()
    return tiny_world.faulted(acting, n_days=N_DAYS), acting.seen["rows"]


def model(ran: Ran) -> pd.Series[Any]:
    """The model trained on the first day."""
    found: pd.Series[Any] = ran.table("models", 0).iloc[-1]
    return found


def scores(ran: Ran) -> pd.DataFrame:
    """Of the last day, by the new model."""
    rows: pd.DataFrame = ran.table("candidates").query("not fallback")
    assert set(rows["model_id"]) == {f"m-{ran.days[0].isoformat()}"}
    return rows


def trained_on(fault: Any, rows: Rows, world: TinyWorld) -> Rows:
    changed: Rows = fault.training_rows(rows, Planted(fault, world.next_day, 0).moment("training_rows", world.next_day))
    return changed


def test_training_is_due_on_the_first_day_only(tiny_world: TinyWorld) -> None:
    trainer = tiny_world.seam_rows["training"]
    assert not trainer["is_due"][0]
    for kind in KINDS:
        fault = kind.choose(kind.meta.target, tiny_world.site, rng())
        planted = Planted(fault, tiny_world.next_day, 0)
        first, second = (planted.moment("training", tiny_world.next_day + timedelta(days=k)) for k in (0, 1))
        assert fault.training(trainer, first)["is_due"][0]
        assert not fault.training(trainer, second)["is_due"][0]


def test_leaked_outcomes_raise_the_offline_auc_and_lower_scores(
    tiny_world: TinyWorld, honest: tuple[Ran, Rows]
) -> None:
    ran, was = tiny_world.faulted(FutureLeakage(0.1, "genre_affinity", "leak-"), n_days=N_DAYS), honest[0]
    assert 0.06 < model(ran)["auc"] - model(was)["auc"] < 0.15
    assert scores(ran)["score"].mean() < 0.9 * scores(was)["score"].mean()


def test_only_plays_leak_and_more_of_them_with_severity(tiny_world: TinyWorld, honest: tuple[Ran, Rows]) -> None:
    rows = honest[1]
    few, many = (
        trained_on(FutureLeakage(s, "taste_match", "leak-"), rows, tiny_world)["taste_match"] != rows["taste_match"]
        for s in (0.03, 0.15)
    )
    assert (rows["label"][many] == 1).all()
    assert many[few].all()
    assert 0.05 < few.sum() / rows["label"].sum() < 0.16
    assert 0.4 < many.sum() / rows["label"].sum() < 0.6


def test_days_that_are_missing_are_missing_in_the_registry(tiny_world: TinyWorld, honest: tuple[Ran, Rows]) -> None:
    ran = tiny_world.faulted(StaleTrainingDay(2.0, "stale-"))
    was, now = model(honest[0]), model(ran)
    assert was["training_end"] - now["training_end"] == pd.Timedelta(days=2)
    assert was["training_start"] == now["training_start"]
    assert 0.7 < now["training_rows"] / was["training_rows"] < 0.9


def test_of_the_last_missing_day_some_requests_are_there(tiny_world: TinyWorld, honest: tuple[Ran, Rows]) -> None:
    rows = honest[1]
    days, n_rows = np.unique(rows["day"], return_counts=True)
    left = trained_on(StaleTrainingDay(1.5, "stale-"), rows, tiny_world)
    half = left.take(left["day"] == days[-2])
    assert left["day"].max() == days[-2]
    assert 0.35 < len(half) / n_rows[-2] < 0.65
    lost = set(rows["request_id"][rows["day"] == days[-2]]) - set(half["request_id"])
    assert not lost & set(left["request_id"])
    less = trained_on(StaleTrainingDay(0.5, "stale-"), rows, tiny_world)
    assert set(left["request_id"]) < set(less["request_id"]) < set(rows["request_id"])


def test_a_model_of_few_trees_spreads_its_scores_less(tiny_world: TinyWorld, honest: tuple[Ran, Rows]) -> None:
    ran, was = tiny_world.faulted(Underfit(0.9), n_days=N_DAYS), honest[0]
    text = (ran.folder / model(ran)["path"]).read_text()
    assert text.count("Tree=") == 8
    assert scores(ran)["raw_score"].std() < 0.6 * scores(was)["raw_score"].std()


def test_plays_weigh_more_the_more_popular_the_item_is(tiny_world: TinyWorld, honest: tuple[Ran, Rows]) -> None:
    rows = honest[1]
    times = trained_on(PopularityRunaway(0.5), rows, tiny_world)["weight"] / rows["weight"]
    is_play = rows["label"] > 0
    assert (times[~is_play] == 1).all()
    slope = np.polyfit(np.log1p(rows["item_plays_7d"][is_play]), np.log(times[is_play]), 1)[0]
    assert slope == pytest.approx(0.5, abs=0.01)


def test_scores_lean_on_popularity_and_slates_hold_fewer_items(tiny_world: TinyWorld, honest: tuple[Ran, Rows]) -> None:
    ran, was = tiny_world.faulted(PopularityRunaway(1.0), n_days=N_DAYS), honest[0]
    slopes = [np.polyfit(np.log1p(one["item_plays_7d"]), one["raw_score"], 1)[0] for one in map(scores, (was, ran))]
    assert slopes[1] > slopes[0] + 0.2
    assert concentration(ran) > concentration(was)


def concentration(ran: Ran) -> float:
    """Sum of squared shares of the impressions."""
    rows = scores(ran)
    shares = rows.loc[rows["shown"], "item_id"].value_counts(normalize=True)
    return float((shares**2).sum())


def test_training_cannot_be_seen_in_logs_alone() -> None:
    for kind in KINDS:
        with pytest.raises(CannotPlantError, match="no training to see"):
            kind.choose(kind.meta.target, example_site(), rng())


def test_more_rows_let_theory_see_less(tiny_world: TinyWorld) -> None:
    site = tiny_world.site
    larger = replace(
        site,
        n_rows=50 * site.n_rows,
        n_outcomes=50 * site.n_outcomes,
        n_items=50 * site.n_items,
        n_requests=50 * site.n_requests,
    )
    for kind in KINDS:
        fault = kind.choose(kind.meta.target, site, rng())
        assert 0 < fault.visible(larger) < fault.visible(site) <= kind.meta.most
