"""The marked block of a crontab: replaced whole, removed exactly; every other byte stays."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.config.settings import WorkspaceSettings
from recsysops.errors import ConfigError
from recsysops.scheduling.crontab import block, jobs_in, with_block, without_block
from recsysops.scheduling.jobs import Job, commands_of, detect_words, jobs_of, program_words
from recsysops.scheduling.systemd import quoted, units


@pytest.fixture
def systemd_analyze() -> str:
    path = shutil.which("systemd-analyze")
    if path is None:
        pytest.skip("this machine has no systemd-analyze")
    return path


ROOT = Path("/srv/a shop")
DAILY = Job("daily", None, (6, 30))
ONE = commands_of([DAILY], ["python", "-m", "recsysops", "--workspace", str(ROOT)])
TWO = commands_of([DAILY, Job("fast", 5)], ["python3"], Path("/etc/shop.env"))
CRONTAB = b"MAILTO=ops\n# latin-1: \xe9\n\n0 4 * * *  backup  \t\n"


def test_a_block_has_a_line_per_job() -> None:
    lines = block(ROOT, TWO).decode().splitlines()
    assert lines[0].startswith("# >>> recsysops /srv/a shop >>> (written by `recsysops schedule install`")
    assert lines[1] == "30 6 * * * python3 schedule run daily --environment /etc/shop.env >/dev/null"
    assert lines[2] == "*/5 * * * * python3 schedule run fast --environment /etc/shop.env >/dev/null"
    assert lines[3] == "# <<< recsysops /srv/a shop <<<"


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_other_lines_stay_byte_for_byte(before: bytes, after: bytes) -> None:
    with_one = with_block(before, ROOT, block(ROOT, ONE))
    assert with_one.startswith(before)
    assert jobs_in(with_one, ROOT) is not None
    assert with_block(with_one, ROOT, block(ROOT, ONE)) == with_one
    with_two = with_block(with_one, ROOT, block(ROOT, TWO))
    assert without_block(with_two, ROOT) == before
    added = with_two + after
    assert without_block(added, ROOT).endswith(after)
    assert jobs_in(without_block(added, ROOT), ROOT) is None


def test_the_block_stays_where_it_is() -> None:
    crontab = CRONTAB + block(ROOT, ONE) + b"5 5 * * * later\n"
    replaced = with_block(crontab, ROOT, block(ROOT, TWO))
    assert replaced == CRONTAB + block(ROOT, TWO) + b"5 5 * * * later\n"
    assert without_block(replaced, ROOT) == CRONTAB + b"5 5 * * * later\n"


def test_two_workspaces_have_a_block_each() -> None:
    other = Path("/srv/a shop too")
    both = with_block(with_block(CRONTAB, ROOT, block(ROOT, ONE)), other, block(other, TWO))
    assert without_block(both, ROOT) == CRONTAB + block(other, TWO)
    assert len(jobs_in(both, other) or ()) == 2


@pytest.mark.parametrize("damage", ["first", "last", "twice", "swapped"])
def test_a_block_damaged_by_hand_is_not_touched(damage: str) -> None:
    lines = block(ROOT, ONE).splitlines(keepends=True)
    texts = {"first": lines[1:], "last": lines[:-1], "twice": lines * 2, "swapped": lines[::-1]}
    with pytest.raises(ConfigError, match="crontab -e"):
        without_block(CRONTAB + b"".join(texts[damage]), ROOT)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=20))
def test_any_path_reaches_the_program_as_it_is(name: str) -> None:
    words = ["printf", "%s", f"/srv/{name}"]
    if "\\%" in shlex.join(words):
        return
    line = block(ROOT, {DAILY: words}).decode().splitlines()[1]
    command = line.split(" ", 5)[5].removesuffix(" >/dev/null")
    assert not re.search(r"(?<!\\)%", command)  # a bare % ends the command in cron
    shell = command.replace("\\%", "%")  # as cron hands it to the shell
    assert subprocess.run(["/bin/sh", "-c", shell], capture_output=True, check=True).stdout.decode() == f"/srv/{name}"


@pytest.mark.parametrize("name", ["a\nb", "a\\%b"])
def test_a_path_that_cron_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="schedule: found"):
        block(ROOT, {DAILY: ["x", name]})
    if "\n" in name:
        with pytest.raises(ConfigError, match="line break"):
            block(Path("/srv") / name, ONE)


def shop(**schedule: object) -> WorkspaceSettings:
    return WorkspaceSettings.model_validate({"tables": {}, **schedule})


def test_what_is_scheduled_follows_the_settings() -> None:
    at_four = shop(schedule={"daily": {"at": "04:05"}, "fast": {"every_minutes": 10}})
    assert [(job.cron, job.words) for job in jobs_of(at_four, ("fast", "daily"))] == [
        ("*/10 * * * *", "every 10 minutes"),
        ("5 4 * * *", "daily at 04:05"),
    ]
    quiet = shop(notifications={"quiet_hours": {"start": "22:00", "end": "07:00"}})
    assert [job.tier for job in jobs_of(quiet, ("daily",))] == ["daily", "notices"]
    assert [job.tier for job in jobs_of(quiet, ("fast", "daily"))] == ["fast", "daily"]


def test_detect_is_asked_for_a_tier_only_when_it_has_tiers() -> None:
    assert detect_words("daily", has_tiers=False) == ["detect", "--json"]
    assert detect_words("fast", has_tiers=True) == ["detect", "--tier", "fast", "--json"]
    assert detect_words("notices", has_tiers=True) == ["notify", "send", "--json"]


def test_the_program_is_named_whole_with_its_workspace(tmp_path: Path) -> None:
    words = program_words(tmp_path, "prod", None)
    assert Path(words[0]).is_absolute()
    assert words[1:] == ["-m", "recsysops", "--workspace", str(tmp_path), "--env", "prod"]


@pytest.mark.parametrize(
    ("word", "line"), [("50%", '"50%%"'), ("$HOME", '"$$HOME"'), ('a "b"', '"a \\"b\\""'), ("a\\b", '"a\\\\b"')]
)
def test_systemd_reads_a_word_as_it_is(word: str, line: str) -> None:
    assert quoted(word) == line


def test_units_pass_the_verification_of_systemd(tmp_path: Path, systemd_analyze: str) -> None:
    commands: Mapping[Job, Sequence[str]] = {
        job: ["/bin/echo", "50%", "$HOME", 'a "b"', "a\\b"]
        for job in (DAILY, Job("fast", 5), Job("notices", 60, (0, 5)))
    }
    for name, text in units(ROOT, commands).items():
        (tmp_path / name).write_text(text)
    timers = [str(path) for path in sorted(tmp_path.glob("*.timer"))]
    assert len(timers) == 3
    (tmp_path / "run").mkdir()
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    words = [systemd_analyze, "verify", "--user", "--man=no", *timers]
    answer = subprocess.run(words, capture_output=True, text=True, check=False, env=environ)
    assert (answer.returncode, answer.stderr) == (0, "")
    for job in commands:
        subprocess.run([systemd_analyze, "calendar", job.calendar], capture_output=True, check=True)
