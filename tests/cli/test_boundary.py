"""Exit codes, one-line errors, help, and what is not loaded."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recsysops import errors
from recsysops.cli import boundary, main
from recsysops.cli.arguments import hoisted
from recsysops.cli.verbs import VERBS
from recsysops.registry import BUILT_INS

HEAVY = ("numpy", "pandas", "duckdb", "pyarrow", "numba", "scipy", "sqlalchemy", "rich", "lightgbm", "matplotlib")
Captured = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        [],
        ["detectors", "list"],
        ["detectors", "list", "--json"],
        ["drill", "list"],
        ["drill", "list", "--json"],
        ["--version"],
    ],
)
def test_help_and_lists_load_no_numeric_library(words: list[str]) -> None:
    code = (
        "import sys; from recsysops.cli import main; code = main(sys.argv[1:]); "
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "[]")
    assert done.stdout


INCIDENT_VERBS = ("list", "show", "ack", "mark", "handoff", "resolve", "reopen", "merge", "mute", "retro")
COMMANDS = [[verb.name] for verb in VERBS] + [
    ["change", "record"],
    ["detectors", "list"],
    ["detectors", "show"],
    ["drill", "list"],
    ["drill", "run"],
    *(["incident", verb] for verb in INCIDENT_VERBS),
    [],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_explains_itself(words: list[str], capsys: Captured) -> None:
    assert main([*words, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: recsysops {' '.join(words)}".rstrip())
    options = text.partition("Options:")[2].partition("Commands:")[0].splitlines()
    bare = [line for line in options if line.strip().startswith("-") and len(line.split("  ")) < 3]
    assert [line for line in bare if line == line.rstrip() and options[options.index(line) + 1 :][:1] == [""]] == []


def test_the_line_in_the_list_is_the_verbs_own(capsys: Captured) -> None:
    for verb in VERBS:
        if not verb.is_group:
            main([verb.name, "--help"])
            assert verb.help in capsys.readouterr().out
            assert len(verb.help) < 66


def test_global_options_stand_anywhere() -> None:
    assert hoisted(["detect", "--env=prod", "-w", "x"]) == ["--env=prod", "-w", "x", "detect"]
    assert hoisted(["init", "--", "--json"]) == ["init", "--", "--json"]
    assert hoisted(["detect", "-w"]) == ["-w", "detect"]


@pytest.mark.parametrize(
    "words",
    [
        ["detct"],
        ["detect", "--sinse", "90d"],
        ["compare"],
        ["detectors"],
        ["detectors", "show", "input.missing"],
        ["detect", "--workspace", "/nowhere"],
        ["detect", "--fail-on", "never"],
        ["change", "record", "--kind", "deploy", "--rollout", "much"],
        ["--workspace"],
    ],
    ids=" ".join,
)
def test_what_the_operator_can_mend_is_one_line_and_exit_2(words: list[str], capsys: Captured) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert main([*words[:1], "--json", *words[1:]]) == 2
    captured = capsys.readouterr()
    error = json.loads(captured.out)["error"]
    assert captured.err == f"error: {error['message']}\n"
    assert error["exit_code"] == 2


def raising(error: BaseException) -> Callable[..., Any]:
    def run(words: list[str]) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (errors.DeployError("store", found="x"), 4, "store: found x"),
        (errors.RollbackError("store", found="\x1b[31mx\nnew"), 5, "store: found x new"),
        (errors.StateError("state.db", found="damage"), 2, "state.db: found damage"),
        (ZeroDivisionError("division by zero"), 3, "ZeroDivisionError: division by zero; this is a defect"),
        (RecursionError("deep"), 3, "RecursionError: deep"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_every_error_has_its_exit_code(
    error: BaseException, code: int, text: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boundary, "run", raising(error))
    assert main(["detect", "--json"]) == code
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {text}")
    assert captured.err.count("\n") == 1
    assert json.loads(captured.out)["error"]["exit_code"] == code
    assert main(["detect", "--debug"]) == code
    assert ("Traceback" in capsys.readouterr().err) is (code != 130)


def test_a_verb_interrupted_from_inside_is_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from recsysops.cli.options import Options

    monkeypatch.setattr(Options, "workspace", raising(KeyboardInterrupt()))
    assert main(["check"]) == 130


def test_a_termination_signal_unwinds_like_an_interrupt() -> None:
    code = (
        "import sys, time; from recsysops.cli import boundary\n"
        "def wait(words):\n    print('up', flush=True)\n    time.sleep(60)\n"
        "boundary.run = wait; sys.exit(boundary.guarded(['detect']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "up\n"
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(60) == 130
        assert child.stderr.read() == "error: interrupted\n"


def test_a_reader_that_leaves_is_no_error() -> None:
    command = f"{sys.executable} -m recsysops detectors show input.missing_rate | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_detectors_are_listed_with_code_and_line(capsys: Captured) -> None:
    assert main(["detectors", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["detectors"]
    assert [row["name"] for row in rows] == [name for name, _ in BUILT_INS["detectors"]]
    assert all(row["code"] and row["severity"] and row["summary"] for row in rows)
    assert len({row["code"] for row in rows}) == len(rows)


@pytest.mark.parametrize("name", [name for name, _ in BUILT_INS["detectors"]])
def test_a_detector_is_shown_in_full(name: str, capsys: Captured) -> None:
    assert main(["detectors", "show", name]) == 0
    assert capsys.readouterr().out.startswith(f"{name} · ")
    assert main(["detectors", "show", name, "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["name"] == name
    assert card["doc"]
