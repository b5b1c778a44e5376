"""Damaged partitions and state files, crashes at every write, interruptions: counted on correctly by the next run."""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from engine_logs import (
    CANDIDATE_SETTINGS,
    OUTCOME_SETTINGS,
    OUTCOMES,
    candidate_rows,
    candidates_engine,
    open_engine,
    outcome_rows,
    write_partitions,
)
from engine_oracle import NOW, everything
from test_laws_of_profiles import DAYS, MEASURES, same, split, told

from recsysops.engines.in_process import Engine
from recsysops.errors import StateError
from recsysops.profiles import frozen_sets, manifest, store, stored_rows
from recsysops.profiles.measures import Cells, Cohort, Measure
from recsysops.tables.atomic import write_atomically

FEW: list[Measure] = [Cells("candidates", by_hour=True), MEASURES[1], MEASURES[6], Cohort()]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("logs")
    rows = candidate_rows(21, n_requests=20)
    write_partitions(root / "candidates", split(rows, 2, 21))
    write_partitions(root / "outcomes", [outcome_rows(21, rows)], OUTCOMES)
    return root


def both(root: Path, state: Path) -> Engine:
    return open_engine(root, state, candidates=CANDIDATE_SETTINGS, outcomes=OUTCOME_SETTINGS)


@pytest.fixture(scope="module")
def undisturbed(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return told(both(logs, tmp_path_factory.mktemp("undisturbed")), FEW)


class _CrashError(Exception):
    pass


class _CrashingWrites:
    """Raises before or after the n-th write."""

    def __init__(self, crash_at: int, is_after: bool, error: type[BaseException]) -> None:
        self.n_writes = 0
        self._crash_at, self._is_after, self._error = crash_at, is_after, error

    def __call__(self, path: Path, writer: Callable[[Path], object]) -> None:
        is_now = self.n_writes == self._crash_at
        self.n_writes += 1
        if is_now and not self._is_after:
            raise self._error
        write_atomically(path, writer)
        if is_now:
            raise self._error


def _patch(monkeypatch: pytest.MonkeyPatch, writes: Callable[..., None]) -> None:
    for module in (store, manifest, frozen_sets):
        monkeypatch.setattr(module, "write_atomically", writes)


def test_a_crash_at_any_write_is_made_good_by_the_next_run(
    logs: Path, undisturbed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = _CrashingWrites(-1, False, _CrashError)
    with monkeypatch.context() as patched:
        _patch(patched, counting)
        both(logs, tmp_path / "counted").profile(FEW)
    assert counting.n_writes > 8
    for crash_at in range(counting.n_writes):
        is_after = bool(crash_at % 2)
        state = tmp_path / f"{crash_at}"
        with monkeypatch.context() as patched:
            _patch(patched, _CrashingWrites(crash_at, is_after, KeyboardInterrupt if crash_at % 3 else _CrashError))
            with pytest.raises((_CrashError, KeyboardInterrupt)):
                both(logs, state).profile(FEW)
        same(told(both(logs, state), FEW), undisturbed)
        assert not list(state.rglob(".*")), "nothing half-written remains"


def test_an_engine_can_be_used_again_after_an_interruption(
    logs: Path, undisturbed: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = both(logs, tmp_path)
    with monkeypatch.context() as patched:
        _patch(patched, _CrashingWrites(5, True, KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            engine.profile(FEW)
    same(told(engine, FEW), undisturbed)


@pytest.mark.parametrize("content", [b"", b"PAR1 nothing PAR1", None], ids=["empty", "garbage", "truncated"])
def test_a_damaged_partition_is_skipped_with_its_reason(tmp_path: Path, content: bytes | None) -> None:
    parts = split(candidate_rows(5), 3, 5)
    write_partitions(tmp_path / "candidates", parts)
    write_partitions(tmp_path / "good/candidates", [parts[0], parts[2]])
    engine = candidates_engine(tmp_path, tmp_path / "state")
    bad = tmp_path / "candidates/part-01.parquet"
    bad.write_bytes(bad.read_bytes()[:900] if content is None else content)
    summary = engine.profile(MEASURES)
    assert [(one.kind, one.table) for one in summary.skipped] == [("failed", "candidates")]
    assert "part-01.parquet" in summary.skipped[0].reason
    assert "\n" not in summary.skipped[0].reason
    expected = told(candidates_engine(tmp_path / "good", tmp_path / "good state"))
    same(everything(engine.history(DAYS[:3], DAYS[3:], now=NOW), MEASURES), expected)


def test_damaged_pages_behind_a_sound_footer_are_skipped(tmp_path: Path) -> None:
    write_partitions(tmp_path / "candidates", split(candidate_rows(5), 2, 5))
    bad = tmp_path / "candidates/part-00.parquet"
    content = bytearray(bad.read_bytes())
    content[4:400] = bytes(random.Random(1).randbytes(396))
    bad.write_bytes(content)
    summary = candidates_engine(tmp_path, tmp_path / "state").profile(MEASURES)
    assert [one.kind for one in summary.skipped] == ["failed"]
    assert summary.n_partitions_read == 1


def test_a_partition_rewritten_as_garbage_keeps_the_counts_it_had(tmp_path: Path) -> None:
    parts = split(candidate_rows(5), 3, 5)
    write_partitions(tmp_path / "candidates", parts)
    before = told(candidates_engine(tmp_path, tmp_path / "state"))
    engine = candidates_engine(tmp_path, tmp_path / "state")
    (tmp_path / "candidates/part-01.parquet").write_bytes(b"half an upload")
    summary = engine.profile(MEASURES)
    assert (len(summary.skipped), summary.vanished) == (1, ())
    same(everything(engine.history(DAYS[:3], DAYS[3:], now=NOW), MEASURES), before)
    write_partitions(tmp_path / "candidates", parts)
    same(told(candidates_engine(tmp_path, tmp_path / "state")), before)


def _profiles(state: Path) -> list[Path]:
    return sorted(p for p in (state / "profiles/candidates").glob("*.parquet") if ".buckets." not in p.name)


@pytest.mark.parametrize("n_kept", [0, 10, -8])
def test_a_profile_without_a_sound_footer_is_counted_again(
    logs: Path, undisturbed: dict[str, Any], tmp_path: Path, n_kept: int
) -> None:
    told(both(logs, tmp_path), FEW)
    path = _profiles(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:n_kept])
    engine = both(logs, tmp_path)
    assert engine.profile(FEW).n_partitions_read == 1
    same(told(engine, FEW), undisturbed)


@pytest.mark.parametrize("metadata", [b"[]", b"{}", b'{"format": "x"}', b'{"format": 1, "measures": 3}'])
def test_a_profile_with_strange_metadata_is_counted_again(
    logs: Path, undisturbed: dict[str, Any], tmp_path: Path, metadata: bytes
) -> None:
    told(both(logs, tmp_path), FEW)
    path = _profiles(tmp_path)[0]
    table = pq.read_table(path).replace_schema_metadata({b"recsysops": metadata})
    pq.write_table(table, path)
    same(told(both(logs, tmp_path), FEW), undisturbed)


def test_a_profile_of_a_newer_version_is_refused(logs: Path, tmp_path: Path) -> None:
    told(both(logs, tmp_path), FEW)
    path = _profiles(tmp_path)[0]
    pq.write_table(pq.read_table(path).replace_schema_metadata({b"recsysops": b'{"format": 99}'}), path)
    with pytest.raises(StateError, match="use the version of recsysops that wrote it"):
        both(logs, tmp_path).profile(FEW)


def test_damaged_pages_of_a_profile_name_the_file_and_what_to_do(logs: Path, tmp_path: Path) -> None:
    told(both(logs, tmp_path), FEW)
    path = _profiles(tmp_path)[0]
    content = bytearray(path.read_bytes())
    content[4:600] = bytes(random.Random(2).randbytes(596))
    path.write_bytes(content)
    stored_rows.forget_what_was_read()
    with pytest.raises(StateError, match="delete it; the next run counts its partition again"):
        told(both(logs, tmp_path), FEW)
    path.unlink()
    assert both(logs, tmp_path).profile(FEW).n_partitions_read == 1


@pytest.mark.parametrize("folder", ["manifests", "frozen"])
@pytest.mark.parametrize(
    "content", ["", "[1, 2]", '{"known": []}', '{"format": 1, "sets": {"a": 1}, "run": 1, "known": {"a": 1}}']
)
def test_damaged_state_says_so_in_one_line(logs: Path, tmp_path: Path, folder: str, content: str) -> None:
    told(both(logs, tmp_path), FEW)
    for path in (tmp_path / folder).glob("candidates*.json"):
        path.write_text(content)
    with pytest.raises(StateError, match=r"restore it, or delete it|re-baseline") as caught:
        both(logs, tmp_path).profile(FEW)
    assert "\n" not in str(caught.value)


def test_without_its_manifests_a_workspace_counts_what_is_there(
    logs: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    told(both(logs, tmp_path), FEW)
    for path in (tmp_path / "manifests").iterdir():
        path.unlink()
    same(told(both(logs, tmp_path), FEW), undisturbed)


@pytest.mark.slow
def test_a_killed_process_leaves_a_workspace_that_the_next_run_completes(
    logs: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys
            sys.path[:0] = [{str(Path(__file__).parent)!r}]
            from pathlib import Path
            from test_damage_and_crashes import FEW, both
            engine = both(Path({str(logs)!r}), Path(sys.argv[1]))
            print("begin", flush=True)
            engine.profile(FEW)
            print("end", flush=True)
            """
        )
    )

    def begun(state: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, str(script), str(state)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        return process

    with begun(tmp_path / "whole") as process:  # how long a run takes on this machine
        begin = time.monotonic()
        assert process.stdout is not None
        assert process.stdout.readline() == "end\n"
        seconds = time.monotonic() - begin

    rng = random.Random(0)
    n_killed = 0
    for number in range(25):
        state = tmp_path / f"state {number}"
        with begun(state) as process:
            time.sleep(rng.uniform(0, seconds))
            process.kill()
            assert process.stdout is not None
            n_killed += "end" not in process.stdout.read()
        same(told(both(logs, state), FEW), undisturbed)
        assert not list(state.rglob(".*"))
    assert n_killed >= 10
