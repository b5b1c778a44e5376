"""A state folder that was damaged, and disks that fail: known errors, nothing half written, and a way out."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from honest_run import Ran, check_honest, leftovers, run
from small_log import write_small_log

from recsysops.incidents.lock import workspace_lock


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with state of every kind."""
    root = tmp_path_factory.mktemp("judged") / "w"
    write_small_log(root)
    for words in (("detect",), ("snapshot",), ("change", "record", "--kind", "deploy")):
        assert run(*words, "-w", str(root)).code == 0
    return root


@pytest.fixture
def root(judged: Path, tmp_path: Path) -> Path:
    """A copy of it to damage."""
    shutil.copytree(judged, tmp_path / "w")
    return tmp_path / "w"


def each(pattern: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(state: Path) -> None:
        paths = [path for path in state.glob(pattern) if path.is_file()]
        assert paths
        for path in paths:
            path.write_bytes(change(path.read_bytes()))

    return damage


def newer_database(state: Path) -> None:
    with sqlite3.connect(state / "state.db") as connection:
        connection.execute("PRAGMA user_version = 9999")
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            if "schema_version" in columns or "version" in columns:
                column = "schema_version" if "schema_version" in columns else "version"
                connection.execute(f"UPDATE {name} SET {column} = 9999")
    connection.close()


GARBAGE, TORN = (lambda content: b"\x00\xffgarbage" * 20), (lambda content: content[: len(content) // 2])
DAMAGE: dict[str, Callable[[Path], None]] = {
    "state.db garbage": each("state.db", GARBAGE),
    "state.db truncated": each("state.db", TORN),
    "state.db empty": each("state.db", lambda content: b""),
    "state.db newer": newer_database,
    "profiles truncated": each("profiles/**/*.parquet", TORN),
    "profiles garbage": each("profiles/**/*.parquet", GARBAGE),
    "profiles empty": each("profiles/**/*.parquet", lambda content: b""),
    "manifests garbage": each("manifests/*.json", GARBAGE),
    "manifests of other JSON": each("manifests/*.json", lambda content: b'{"a": [null]}'),
    "frozen sets garbage": each("frozen/*.json", GARBAGE),
    "frozen sets of other JSON": each("frozen/*.json", lambda content: b"[NaN, {}]"),
    "torn line in changes": each("changes.jsonl", TORN),
    "garbage in changes": each("changes.jsonl", GARBAGE),
    "hostile line in changes": each("changes.jsonl", lambda content: content + b'{"ts": "\\u001b[31m", "kind": 3}\n'),
    "snapshots garbage": each("snapshots/**/*.parquet", GARBAGE),
    "lock garbage": each("lock", GARBAGE),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_state_is_named_or_made_good(root: Path, name: str) -> None:
    DAMAGE[name](root / ".recsysops")
    for words in (("detect", "--since", "1d"), ("detect",), ("snapshot",), ("check",)):
        ran = run(*words, "-w", str(root), "--json")
        if ran.err:
            assert ".recsysops" in ran.message
    assert not leftovers(root)


@pytest.mark.parametrize("verb", ["detect", "snapshot", "compare"])
def test_a_second_run_says_who_holds_the_workspace(root: Path, verb: str) -> None:
    words = ("--reference", "arm=a", "--current", "arm=b") if verb == "compare" else ()
    with workspace_lock(root / ".recsysops", "detect"):
        ran = run(verb, *words, "-w", str(root), "--json")
    assert ran.code == 2
    assert f"process {os.getpid()}" in ran.message


@pytest.mark.parametrize("verb", ["init", "detect", "snapshot", "change"])
def test_a_full_disk_is_a_known_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str) -> None:
    root = tmp_path / "w"
    write_small_log(root)

    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    words = {
        "init": ("init", str(root / "candidates"), "--force"),
        "change": ("change", "record", "--kind", "deploy"),
    }.get(verb, (verb,))
    before = (root / "recsysops.yaml").read_bytes()
    monkeypatch.setattr("recsysops.tables.atomic.sync", full)
    monkeypatch.setattr(os, "fsync", lambda descriptor: full(root))
    ran = run(*words, "-w", str(root), "--json")
    assert ran.code == 2
    assert "no space left on device" in ran.message.lower()
    assert (root / "recsysops.yaml").read_bytes() == before
    assert not leftovers(root)
    monkeypatch.undo()
    assert run(*words, "-w", str(root)).code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write and read everywhere")
@pytest.mark.parametrize("place", [".", "candidates"])
def test_a_folder_that_may_not_be_used_is_named(tmp_path: Path, place: str) -> None:
    root = tmp_path / "w"
    write_small_log(root)
    (root / place).chmod(0o500 if place == "." else 0o000)
    try:
        ran = run("detect", "-w", str(root))
    finally:
        (root / place).chmod(0o700)
    assert ran.code == 2
    assert "ermission" in ran.message


def test_libraries_warn_of_nothing(root: Path) -> None:
    words = ("detect", "--since", "3d", "--json", "-w", str(root))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "recsysops", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    check_honest(Ran(words, done.returncode, done.stdout, done.stderr))
    assert (done.returncode, done.stderr) == (0, "")
