"""A whole drill on a small service: what is found, what is kept, what fails, and going on after a kill."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from small_service import FIRST_DAY, Holes, Homeless, SmallService, SmallSize, Tripwire, small_site

from recsysops.drills.scorecard.clean_run import read_clean_run
from recsysops.drills.scorecard.plan import DrillPlan
from recsysops.drills.scorecard.results import Card, FaultCurve
from recsysops.drills.scorecard.rig import Rig
from recsysops.drills.scorecard.run import run_drill
from recsysops.drills.scorecard.stored_trials import read_trial
from recsysops.errors import ConfigError, LockHeldError
from recsysops.incidents.lock import workspace_lock

RIG = Rig(SmallService, small_site)
PLAN = DrillPlan(
    (Holes, Tripwire, Homeless), SmallSize(), multiples=(0.01, 4.0, 8.0), seeds=(0,), jobs=2, n_clean_days=16
)


class Counting:
    """Notes what progress is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.n_done = 0

    def start(self, what: str, total: int) -> None:
        self.told.append((what, total))
        self.n_done = 0

    def advance(self, n: int = 1) -> None:
        self.n_done += n

    def finish(self) -> None:
        assert self.n_done == self.told[-1][1], self.told


@dataclass(frozen=True)
class Drilled:
    folder: Path
    card: Card
    told: list[tuple[str, int]]

    def curve(self, name: str) -> FaultCurve:
        return next(one for one in self.card.faults if one.meta.name == name)


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Drilled:
    folder = tmp_path_factory.mktemp("drill")
    progress = Counting()
    return Drilled(folder, run_drill(PLAN, folder, progress, rig=RIG), progress.told)


def trials(folder: Path) -> dict[str, float]:
    """Name of each kept trial, and when it was written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / "trials").glob("*.json")}


def test_a_large_fault_is_found_at_once_where_it_is_and_a_tiny_one_is_not(drilled: Drilled) -> None:
    tiny, large, _ = drilled.curve("holes").points
    assert tiny.detected.value == 0
    assert tiny.delay_runs is None
    assert large.detected.value == 1
    assert large.delay_runs == 1
    assert large.scope_overlap == 1
    assert large.top1_rate == large.top3_rate == 1
    assert large.severity == pytest.approx(0.8)
    assert large.baselines == {"static_psi": 1.0, "three_sigma": 1.0, "largest_change": 1.0}
    assert tiny.baselines["static_psi"] == 0


def test_the_curve_knows_its_unit(drilled: Drilled) -> None:
    curve = drilled.curve("holes")
    assert (curve.visible, curve.unit) == pytest.approx((0.1, 0.2))


def test_a_severity_beyond_the_most_is_run_once(drilled: Drilled) -> None:
    large = [one for path in trials(drilled.folder) if (one := read_trial(drilled.folder / "trials" / path))]
    at_most = sorted((one.multiple, one.seconds) for one in large if one.severity == 0.8)
    assert [multiple for multiple, _ in at_most] == [4.0, 8.0]
    assert at_most[0][1] > 0


def test_what_cannot_be_planted_says_why(drilled: Drilled) -> None:
    assert drilled.curve("homeless").cannot == "homeless: found no place, expected one"
    assert drilled.curve("homeless").points == ()


def test_a_trial_that_fails_loses_no_other_and_is_told(drilled: Drilled) -> None:
    (line,) = drilled.card.cannot_look
    assert line.startswith("tripwire at 1 × its unit, seed 0: ValueError: fell over a wire")
    assert drilled.card.n_trials == 3
    assert drilled.curve("tripwire").cannot == "no trial was finished"


def test_clean_days_are_counted_after_the_burn_in(drilled: Drilled) -> None:
    assert drilled.card.clean.n_days == 16
    assert drilled.card.clean.n_alarms <= 2
    assert drilled.card.baselines["three_sigma"].n_days == 16
    assert drilled.card.baselines["static_psi"].n_days == 2


def test_progress_tells_every_day_and_every_trial(drilled: Drilled) -> None:
    assert drilled.told == [("simulating clean days", 30), ("trials", 7)]


def test_forks_are_gone_and_the_original_is_as_it_was(drilled: Drilled) -> None:
    assert not any((drilled.folder / "forks").glob("*"))
    (seed,) = drilled.folder.glob("seed-0-*")
    run = read_clean_run(seed / "clean_run.json")
    assert run is not None
    for onset in run.onsets:
        kept = seed / "onsets" / onset.isoformat() / "workspace"
        days = sorted(path.name for path in (kept / "logs" / "candidates").iterdir())
        assert days[0] == f"day={FIRST_DAY}"
        assert days[-1] < f"day={onset}"
        assert f"{onset}" not in (kept / "notes.txt").read_text(encoding="utf-8")
    sunny = [(day.day - FIRST_DAY).days for day in run.days if day.benign == ("The sun shines",)]
    assert sunny == list(range(20, 27))  # it shines on, but that is no news


def test_a_second_run_repeats_only_what_failed(drilled: Drilled) -> None:
    before = trials(drilled.folder)
    again = run_drill(PLAN, drilled.folder, rig=RIG)
    assert trials(drilled.folder) == before
    assert again == drilled.card


def test_a_lost_or_torn_trial_is_run_again_to_the_same_result(drilled: Drilled) -> None:
    known = {path: read_trial(path) for path in (drilled.folder / "trials").glob("*.json")}
    path, lost = next((path, one) for path, one in known.items() if one and one.fault == "holes" and one.multiple == 4)
    path.write_text(path.read_text(encoding="utf-8")[:100], encoding="utf-8")
    run_drill(replace(PLAN, faults=(Holes,), multiples=(4.0,), jobs=1), drilled.folder, rig=RIG)
    found = read_trial(path)
    assert found is not None
    assert replace(found, seconds=0) == replace(lost, seconds=0)


def test_a_clean_run_of_other_code_is_made_anew(drilled: Drilled) -> None:
    (seed,) = drilled.folder.glob("seed-0-*")
    path = seed / "clean_run.json"
    before = read_clean_run(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, "made_by": "somebody else"}), encoding="utf-8")
    run_drill(replace(PLAN, faults=(Holes,), multiples=(4.0,), jobs=1), drilled.folder, rig=RIG)
    after = read_clean_run(path)
    assert before is not None
    assert after is not None
    assert replace(after, seconds=0) == replace(before, seconds=0)


def test_two_drills_do_not_share_a_folder(tmp_path: Path) -> None:
    with workspace_lock(tmp_path, "drill"), pytest.raises(LockHeldError):
        run_drill(PLAN, tmp_path, rig=RIG)


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"seeds": ()}, "seeds"), ({"jobs": 0}, "--jobs"), ({"multiples": (0.0,)}, "--severity")],
)
def test_numbers_that_make_no_drill_are_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        replace(PLAN, **changed)  # type: ignore[arg-type]
