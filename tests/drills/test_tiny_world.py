"""The scaffold of the faults' tests: forks are alike, and leave the world alone."""

from __future__ import annotations

from tiny_world import TinyWorld

from recsysops.drills.fault import SEAMS


def test_a_clean_fork_repeats_itself_and_leaves_the_world_as_it_was(tiny_world: TinyWorld) -> None:
    before = sorted(path.relative_to(tiny_world.folder) for path in tiny_world.folder.rglob("*.parquet"))
    first, second = tiny_world.run(), tiny_world.run()
    for name in ("candidates", "outcomes", "items", "item_features", "member_features"):
        assert first.part(name).read_bytes() == second.part(name).read_bytes(), name
    after = sorted(path.relative_to(tiny_world.folder) for path in tiny_world.folder.rglob("*.parquet"))
    assert before == after


def test_every_seam_but_those_of_training_is_passed_on_an_ordinary_day(tiny_world: TinyWorld) -> None:
    assert set(SEAMS) - set(tiny_world.seam_rows) == {"training_rows"}
    assert all(len(rows) for seam, rows in tiny_world.seam_rows.items() if seam != "changes")
