"""The view ``replayed`` through the engine: what was served replays to the bit, planted differences show, missing files are told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from deployment_faults import Reordered, Uncalibrated

from recsysops.drills.fault import Planted
from recsysops.drills.world.service import Service
from recsysops.drills.world.size import WorldSize
from recsysops.engines.in_process import Engine
from recsysops.incidents.calendar import end_of
from recsysops.profiles.history import CellContrast, KeyedContrast
from recsysops.profiles.measures import Keyed, Measure, PerRequest
from recsysops.tables.views.view import Folders
from recsysops.workspace import Workspace

SIZE = WorldSize(
    n_members=200, n_titles=100, requests_per_day=60, log_rate=1.0, warm_up_days=15, n_days=3, has_benign_events=False
)
RAW = PerRequest("replayed", "any_row", ("raw_differs",))
SCORE = PerRequest("replayed", "any_row", ("score_differs",))
OUTCOME = Keyed("replayed", "outcome", ("rows",))
MEASURES: tuple[Measure, ...] = (RAW, SCORE, OUTCOME)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[date]]:
    """A clean day, one with another feature order, one without its calibration."""
    folder = tmp_path_factory.mktemp("world") / "service"
    service = Service.begin(folder, SIZE, seed=4)
    days = []
    for fault in (None, Reordered(), Uncalibrated()):
        days.append(service.next_day)
        service.run_day([] if fault is None else [Planted(fault, service.next_day, 0)])
    return folder, days


def counted(folder: Path, state: Path, day: date, root: Path | None) -> tuple[dict[str, CellContrast], KeyedContrast]:
    engine = Engine(Workspace(folder).tables, state, folders=None if root is None else Folders(root))
    assert not engine.profile(MEASURES).skipped
    history = engine.history([], [day], now=end_of(day))
    cells = {one.columns[0]: found for one in (RAW, SCORE) if (found := history.cells(one)) is not None}
    outcomes = history.keyed(OUTCOME)
    assert outcomes is not None
    return cells, outcomes


def flagged(contrast: CellContrast) -> tuple[int, int]:
    """Requests, and those in which something differs."""
    whole = contrast.current[:, 0].sum(axis=0)
    return int(whole[contrast.cell("requests")]), int(whole[contrast.cell("flagged_requests")])


@pytest.mark.parametrize(("place", "raw", "score"), [(0, False, False), (1, True, False), (2, False, True)])
def test_differences_show_at_their_own_stage(
    world: tuple[Path, list[date]], tmp_path: Path, place: int, raw: bool, score: bool
) -> None:
    folder, days = world
    cells, outcomes = counted(folder, tmp_path, days[place], folder)
    assert outcomes.keys == ("replayed",)
    for name, is_planted in (("raw_differs", raw), ("score_differs", score)):
        n, k = flagged(cells[name])
        assert n > 30
        assert k > 0.9 * n if is_planted else k == 0


def test_a_model_file_that_is_missing_is_told(world: tuple[Path, list[date]], tmp_path: Path) -> None:
    folder, days = world
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    cells, outcomes = counted(folder, tmp_path, days[0], elsewhere)
    assert flagged(cells["raw_differs"])[1] == 0
    assert "replayed" not in outcomes.keys
    assert all(key.startswith("model ") for key in outcomes.keys)


def test_without_folders_nothing_is_scored_again(world: tuple[Path, list[date]], tmp_path: Path) -> None:
    folder, days = world
    engine = Engine(Workspace(folder).tables, tmp_path)
    engine.profile(MEASURES)
    assert engine.history([], [days[0]], now=end_of(days[0])).cells(RAW) is None
