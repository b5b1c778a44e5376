"""``schedule install|show|remove`` against programs that behave as crontab and systemctl do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsysops.cli import main

CRONTAB = r"""#!/bin/sh
# Behaves as the crontab of Debian: one file, refused without its last newline.
file="$0.file"
case "$1" in
  -l) if [ -f "$file" ]; then cat "$file"; else echo "no crontab for tester" >&2; exit 1; fi ;;
  -r) rm "$file" ;;
  -) cat >"$file.new"
     if [ -s "$file.new" ] && [ -n "$(tail -c 1 "$file.new")" ]; then
       echo "new crontab file is missing newline before EOF, can't install." >&2; exit 1
     fi
     mv "$file.new" "$file" ;;
esac
"""
SYSTEMCTL = r"""#!/bin/sh
# Notes what it is asked, and refuses what the file beside it names.
echo "$@" >>"$0.asked"
if [ -f "$0.refuses" ] && echo "$@" | grep -q -f "$0.refuses"; then echo "Failed to connect to bus" >&2; exit 1; fi
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH but for the shell's own: nothing of this machine's schedule is touched."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name, text in (("crontab", CRONTAB), ("systemctl", SYSTEMCTL)):
        path = folder / name
        path.write_text(text)
        path.chmod(0o755)
    return folder


Captured = pytest.CaptureFixture[str]
OTHERS = b"MAILTO=ops\n# caf\xe9\n0 4 * * *  backup\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    root = tmp_path / "a 100% shop"
    root.mkdir()
    settings = "version: 1\nname: shop\ntables: {}\nschedule: {daily: {at: '04:30'}}\n"
    (root / "recsysops.yaml").write_text(settings)
    return root


@pytest.fixture
def crontab(programs: Path) -> Path:
    return programs / "crontab.file"


def asked(programs: Path) -> list[str]:
    path = programs / "systemctl.asked"
    return path.read_text().splitlines() if path.exists() else []


def test_install_show_remove(shop: Path, crontab: Path, capsys: Captured) -> None:
    crontab.write_bytes(OTHERS)
    assert main(["schedule", "install", "-w", str(shop)]) == 0
    assert capsys.readouterr().out.startswith("Scheduled by cron: ")
    once = crontab.read_bytes()
    assert once.startswith(OTHERS)
    assert b"\n30 4 * * * " in once
    assert b"a 100\\% shop" in once
    assert main(["schedule", "install", "-w", str(shop), "--quiet"]) == 0
    assert crontab.read_bytes() == once
    capsys.readouterr()
    assert main(["schedule", "show", "-w", str(shop)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Scheduled by cron\n  ")
    assert "No run has been started by it yet" in shown
    assert main(["schedule", "remove", "-w", str(shop)]) == 0
    assert capsys.readouterr().out == "Removed from cron\n"
    assert crontab.read_bytes() == OTHERS
    assert main(["schedule", "remove", "-w", str(shop)]) == 0
    assert capsys.readouterr().out == "Nothing was scheduled for this workspace\n"
    assert main(["schedule", "show", "-w", str(shop), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"schema_version": 1, "installed": [], "runs": []}


def test_the_first_crontab_of_a_user_goes_away_again(shop: Path, crontab: Path) -> None:
    assert main(["schedule", "install", "-w", str(shop), "--quiet"]) == 0
    assert crontab.exists()
    assert main(["schedule", "remove", "-w", str(shop), "--quiet"]) == 0
    assert not crontab.exists()


def test_a_crontab_that_cannot_be_read_is_not_written(
    shop: Path, programs: Path, crontab: Path, capsys: Captured
) -> None:
    crontab.write_bytes(OTHERS)
    (programs / "crontab").write_text(
        '#!/bin/sh\necho "You (tester) are not allowed to use this program" >&2\nexit 1\n'
    )
    assert main(["schedule", "install", "-w", str(shop)]) == 2
    assert "not allowed" in capsys.readouterr().err
    assert crontab.read_bytes() == OTHERS


def test_a_crontab_that_does_not_take_is_said(shop: Path, programs: Path, capsys: Captured) -> None:
    (programs / "crontab").write_text('#!/bin/sh\n[ "$1" = -l ] && echo "0 4 * * * backup"\nexit 0\n')
    assert main(["schedule", "install", "-w", str(shop)]) == 2
    assert "another text than was written" in capsys.readouterr().err


def test_timers_of_systemd(shop: Path, programs: Path, tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "config" / "systemd" / "user"
    assert main(["schedule", "install", "--with", "systemd", "-w", str(shop)]) == 0
    assert capsys.readouterr().out.startswith("Scheduled by systemd: ")
    names = {path.name for path in folder.iterdir()}
    assert any(name.endswith("-daily.timer") for name in names)
    assert any(name.endswith("-daily.service") for name in names)
    timer = next(folder.glob("*-daily.timer"))
    assert "OnCalendar=*-*-* 04:30:00" in timer.read_text()
    assert 'a 100%% shop" "schedule" "run" "daily"' in next(folder.glob("*-daily.service")).read_text()
    assert asked(programs)[-2:] == [
        "--user daemon-reload",
        "--user enable --now " + " ".join(sorted((one for one in names if one.endswith(".timer")), reverse=True)),
    ]
    assert main(["schedule", "remove", "-w", str(shop), "--quiet"]) == 0
    assert not list(folder.iterdir())
    assert asked(programs)[-1] == "--user daemon-reload"


def test_a_systemd_that_refuses_leaves_nothing(shop: Path, programs: Path, tmp_path: Path, capsys: Captured) -> None:
    (programs / "systemctl.refuses").write_text("enable\n")
    assert main(["schedule", "install", "--with", "systemd", "-w", str(shop)]) == 2
    assert "Failed to connect to bus" in capsys.readouterr().err
    assert not list((tmp_path / "config" / "systemd" / "user").iterdir())


def test_what_starts_the_runs_is_changed_not_doubled(shop: Path, crontab: Path, tmp_path: Path) -> None:
    crontab.write_bytes(OTHERS)
    assert main(["schedule", "install", "--with", "cron", "-w", str(shop), "--quiet"]) == 0
    assert main(["schedule", "install", "--with", "systemd", "-w", str(shop), "--quiet"]) == 0
    assert crontab.read_bytes() == OTHERS
    assert main(["schedule", "install", "--with", "cron", "-w", str(shop), "--quiet"]) == 0
    assert not list((tmp_path / "config" / "systemd" / "user").iterdir())
    assert b"recsysops" in crontab.read_bytes()


def test_a_machine_with_neither_is_told_what_to_do(
    shop: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["schedule", "install", "-w", str(shop)]) == 2
    assert "start `recsysops schedule run daily` by what you have" in capsys.readouterr().err


def test_the_file_of_variables_is_named_in_the_line_and_read_before(
    shop: Path, crontab: Path, tmp_path: Path, capsys: Captured
) -> None:
    path = tmp_path / "shop.env"
    path.write_text("A=1\n")
    assert main(["schedule", "install", "--environment", str(path), "-w", str(shop), "--quiet"]) == 0
    assert f"schedule run daily --environment {path} >/dev/null" in crontab.read_text()
    path.write_text("not a variable s3cret\n")
    assert main(["schedule", "install", "--environment", str(path), "-w", str(shop)]) == 2
    said = capsys.readouterr().err
    assert "shop.env:1: found another line, expected NAME=VALUE" in said
    assert "s3cret" not in said
