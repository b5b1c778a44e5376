"""Progress is for people at a terminal, on stderr, and leaves nothing behind."""

from __future__ import annotations

import pytest

from recsysops.cli.options import Options
from recsysops.cli.progress import ProgressLine, progress_for
from recsysops.engines.progress import SILENT


def test_nothing_in_a_pipe_or_when_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    assert progress_for(Options()) is SILENT
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert progress_for(Options(quiet=True)) is SILENT
    assert isinstance(progress_for(Options()), ProgressLine)


def test_one_line_that_is_wiped(capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine()
    line.start("counting candidates", 2)
    line.advance()
    line.advance()
    line.finish()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.replace("\r\x1b[2K", "|") == (
        "|counting candidates 0/2|counting candidates 1/2|counting candidates 2/2|"
    )


def test_long_work_says_how_long_it_will_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [100.0]
    monkeypatch.setattr("recsysops.cli.progress.time.monotonic", lambda: now[0])
    line = ProgressLine()
    line.start("trials", 630)
    line.advance(30)  # finished by an earlier run
    now[0] += 300
    line.advance(100)
    now[0] += 1_500
    line.advance(500)
    shown = capsys.readouterr().err.split("\r\x1b[2K")
    assert shown[1:] == ["trials 0/630", "trials 30/630", "trials 130/630 · 25 min left", "trials 630/630"]
