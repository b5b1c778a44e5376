"""Everything follows from size, seed and what is planted: the same bytes twice, and after going on from a checkpoint."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from tiny_world import TinyWorld
from world_files import arrow, digests

from recsysops.drills.fault import Moment, Planted
from recsysops.drills.rows import Rows
from recsysops.drills.world.service import Service
from recsysops.drills.world.size import WorldSize

SMALL = WorldSize(n_members=150, n_titles=80, requests_per_day=60, n_days=16)
N_DAYS, HALF = 15, 8
"""Long enough for two weekly deploys and the first benign events."""


@dataclass(frozen=True)
class NoPlays:
    """Nobody plays anything."""

    def plays(self, rows: Rows, _: Moment) -> Rows:
        """None of them."""
        return rows.take(rows["member"] < 0)


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run from the first day to the last; half-way the state and the files are kept beside it."""
    root = tmp_path_factory.mktemp("repeats")
    service = Service.begin(root / "world", SMALL, seed=3)
    for number in range(N_DAYS):
        if number == HALF:
            service.save(root / "checkpoint")
            shutil.copytree(root / "world", root / "half")
        service.run_day()
    return root / "world"


def test_the_same_seed_gives_the_same_bytes(through: Path, tmp_path: Path) -> None:
    again = Service.begin(tmp_path / "again", SMALL, seed=3)
    for _ in range(N_DAYS):
        again.run_day()
    assert digests(tmp_path / "again") == digests(through)


def test_going_on_from_a_checkpoint_gives_the_same_bytes(through: Path, tmp_path: Path) -> None:
    shutil.copytree(through.parent / "half", tmp_path / "world")
    service = Service.resume(through.parent / "checkpoint", tmp_path / "world")
    for _ in range(N_DAYS - HALF):
        service.run_day()
    assert digests(tmp_path / "world") == digests(through)


def test_a_saved_state_is_saved_again_as_it_was(through: Path, tmp_path: Path) -> None:
    checkpoint = through.parent / "checkpoint"
    Service.resume(checkpoint, through).save(tmp_path / "again")
    assert (tmp_path / "again" / "state.json").read_bytes() == (checkpoint / "state.json").read_bytes()
    assert digests(tmp_path / "again") == digests(checkpoint)


def test_another_seed_gives_another_world(through: Path, tmp_path: Path) -> None:
    Service.begin(tmp_path / "other", SMALL, seed=4).run_day()
    ours, theirs = digests(through), digests(tmp_path / "other")
    same = {Path(name).parts[1] for name, digest in theirs.items() if ours.get(name) == digest and "day=" in name}
    assert same <= {"changes"}


def test_a_day_depends_on_nothing_later(tiny_world: TinyWorld) -> None:
    """What is planted on the third day leaves the files of the first two alone, and the third day's inputs too."""
    onset = tiny_world.next_day + timedelta(days=2)
    clean = digests(tiny_world.run(n_days=4).folder)
    planted = digests(tiny_world.run(Planted(NoPlays(), onset, 0), n_days=4).folder)
    days = {name.split("day=")[1][:10] for name in clean if clean[name] != planted.get(name)}
    assert days == {onset.isoformat(), (onset + timedelta(days=1)).isoformat()}
    changed = {name.split("/")[1] for name in clean if onset.isoformat() in name and clean[name] != planted.get(name)}
    assert changed == {"outcomes", "items_earned"}


def test_nothing_in_a_partition_is_from_later(log: Path) -> None:
    for path in sorted((log / "logs").rglob("*.parquet")):
        end = path.parent.name.removeprefix("day=")
        rows = arrow(path.parent.parent.parent, f"{path.parent.parent.name}/{path.parent.name}", root=".").to_pandas()
        for name in {"ts", "as_of", "ingested_at", "training_end"} & set(rows):
            assert rows[name].max().date().isoformat() <= end, f"{path}: {name}"
