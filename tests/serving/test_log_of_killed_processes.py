"""Processes that are killed, forked or just end: what was flushed is whole, what was lost is counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from served_requests import files, request_ids, rows

from recsysops.serving import read_counts

HERE = Path(__file__).parent
BEGIN = """
import os, signal, sys, threading, time
from pathlib import Path
from served_requests import ALL, KEY, SCHEMA, request
from recsysops.serving import LoggerSettings, ServingLogger
folder = Path(sys.argv[1])
def logger(**given):
    return ServingLogger(folder, SCHEMA, ALL, member_key=KEY, settings=LoggerSettings(**({"rotate_seconds": 3600} | given)))
"""


def start(script: str, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", BEGIN + script, str(folder)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(script: str, folder: Path) -> int:
    process = start(script, folder)
    out, err = process.communicate(timeout=120)
    assert process.returncode in (0, -signal.SIGKILL), out + err
    return process.returncode


def test_a_kill_loses_the_buffer_and_says_how_much(tmp_path: Path) -> None:
    script = """
log = logger()
for number in range(20): log.log(request(number))
assert log.flush()
for number in range(20, 57): log.log(request(number))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert run(script, tmp_path) == -signal.SIGKILL
    assert request_ids(tmp_path) == sorted(f"r-{number}" for number in range(20))
    assert rows(tmp_path).num_rows == 60
    [found] = read_counts(tmp_path)
    assert not found.is_running
    assert (found.counts.n_written, found.n_lost, found.n_undecided) == (20, 37, 0)


def test_a_kill_while_requests_wait(tmp_path: Path) -> None:
    script = """
log = logger(n_waiting=30)
for number in range(50): log.log(request(number))
os.kill(os.getpid(), signal.SIGKILL)
"""
    run(script, tmp_path)
    [found] = read_counts(tmp_path)
    assert (found.counts.n_written, found.n_lost, found.n_undecided) == (0, 20, 30)


def test_a_kill_in_the_middle_of_a_file(tmp_path: Path) -> None:
    script = """
import recsysops.serving.whole_file as whole_file
log = logger()
log.log(request(1))
assert log.flush()
log.log(request(2))
whole_file.os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
log.flush()
"""
    assert run(script, tmp_path) == -signal.SIGKILL
    assert request_ids(tmp_path) == ["r-1"]
    assert [found.n_lost for found in read_counts(tmp_path)] == [1]
    remains = list(tmp_path.glob("candidates/*/.*"))
    assert len(remains) == 1
    run("logger().close()", tmp_path)
    assert not remains[0].exists(), "the next process tidies up"
    assert request_ids(tmp_path) == ["r-1"]


@pytest.mark.parametrize("delay_seconds", [0.3, 0.7])
def test_a_kill_at_any_moment_leaves_whole_files(tmp_path: Path, delay_seconds: float) -> None:
    script = """
log = logger(rotate_rows=100)
print("ready", flush=True)
number = 0
while True:
    log.log(request(number)); number += 1
    if number % 50 == 0: time.sleep(0.001)
"""
    process = start(script, tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(delay_seconds)
    process.kill()
    process.communicate()
    ids = request_ids(tmp_path) if files(tmp_path) else []
    assert len(ids) == len(set(ids))
    if ids:
        assert rows(tmp_path).num_rows == 3 * len(ids)
    [found] = read_counts(tmp_path)
    counts = found.counts
    assert counts.n_accepted + counts.n_dropped + counts.n_waiting == counts.n_offered
    assert counts.n_waiting in (0, 1), "one may have been under way"
    assert found.n_lost == counts.n_accepted - counts.n_written
    assert len(ids) >= counts.n_written, "a file may be in place a moment before it is counted"


def test_a_process_that_just_ends_writes_what_it_has(tmp_path: Path) -> None:
    run("log = logger()\nlog.log(request(1))", tmp_path)
    assert request_ids(tmp_path) == ["r-1"]
    assert [found.n_lost for found in read_counts(tmp_path)] == [0]


def test_a_forked_child_logs_for_itself(tmp_path: Path) -> None:
    script = """
log = logger()
log.log(request(1))
child = os.fork()
for number in (range(10, 15) if child == 0 else range(20, 23)): log.log(request(number))
log.close()
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    assert run(script, tmp_path) == 0
    assert request_ids(tmp_path) == sorted(f"r-{number}" for number in (1, *range(10, 15), 20, 21, 22))
    assert sorted(found.counts.n_written for found in read_counts(tmp_path)) == [4, 5]


def test_a_killed_parent_is_not_kept_alive_by_its_child(tmp_path: Path) -> None:
    script = """
log = logger()
for number in range(4): log.log(request(number))
log.flush()
log.log(request(5))
child = os.fork()
if child == 0:
    sys.stdout.close(); sys.stderr.close(); os.close(1); os.close(2)
    time.sleep(20)
    os._exit(0)
print(child, flush=True)
time.sleep(0.3)
os.kill(os.getpid(), signal.SIGKILL)
"""
    process = start(script, tmp_path)
    out, _ = process.communicate(timeout=60)
    [found] = read_counts(tmp_path)
    os.kill(int(out), signal.SIGKILL)
    assert not found.is_running
    assert found.n_lost == 1


def test_logging_loads_nothing_but_pyarrow_beside_numpy(tmp_path: Path) -> None:
    script = """
log = logger(); log.log(request(1)); log.close()
assert log.counts.n_written == 1
import pyarrow
pandas = [name for name in sys.modules if name.split(".")[0] in ("pandas", "duckdb", "pydantic")]
assert not pandas, pandas
"""
    assert run(script, tmp_path) == 0


def test_parts_cost_only_themselves() -> None:
    code = (
        "import sys, recsysops.serving as s; from recsysops.serving.hashing import hash64; assert 'numpy' not in sys.modules; "
        "s.ServingLogger; s.coverage; s.allocate; "
        "assert not {'pyarrow', 'pandas', 'scipy', 'duckdb', 'pydantic'} & set(sys.modules), sorted(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
