"""Timers of the user's systemd: one service and one timer per job, named after the workspace."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from recsysops.scheduling.jobs import TIERS, Job
from recsysops.scheduling.programs import ask, demand
from recsysops.tables.atomic import write_atomically

PROGRAM = "systemctl"


def is_there() -> bool:
    """Whether the user has a systemd to talk to."""
    import shutil

    return shutil.which(PROGRAM) is not None and ask([PROGRAM, "--user", "show-environment"]).returncode == 0


def folder() -> Path:
    """Where the user's units are."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base) / "systemd" / "user"


def units(root: Path, commands: Mapping[Job, Sequence[str]]) -> Mapping[str, str]:
    """The text of every unit, by its file name. Pure."""
    texts = {}
    for job, words in commands.items():
        name = f"{_stem(root)}-{job.tier}"
        command = " ".join(quoted(word) for word in words)
        about = f"recsysops {job.tier}, {job.words}"
        texts[f"{name}.service"] = (
            f"[Unit]\nDescription={about}\n\n[Service]\nType=oneshot\nExecStart={command}\nSuccessExitStatus=1\n"
        )
        texts[f"{name}.timer"] = (
            f"[Unit]\nDescription={about}\n\n[Timer]\nOnCalendar={job.calendar}\nPersistent=true\n\n"
            "[Install]\nWantedBy=timers.target\n"
        )
    return texts


def install(root: Path, commands: Mapping[Job, Sequence[str]]) -> None:
    """Write the units in place of those there are, and start the timers.

    Raises:
        ConfigError: if systemd refuses them; they are gone then.
    """
    remove(root)
    wanted = units(root, commands)
    try:
        for name, text in wanted.items():
            write_atomically(folder() / name, lambda path, text=text: path.write_text(text))  # type: ignore[misc]
        demand([PROGRAM, "--user", "daemon-reload"])
        demand([PROGRAM, "--user", "enable", "--now", *(name for name in wanted if name.endswith(".timer"))])
    except BaseException:
        for name in wanted:
            (folder() / name).unlink(missing_ok=True)
        raise


def installed(root: Path) -> tuple[Path, ...]:
    """The timers there are of the workspace."""
    paths = (folder() / f"{_stem(root)}-{tier}.timer" for tier in TIERS)
    return tuple(path for path in paths if path.is_file())


def remove(root: Path) -> bool:
    """Stop and remove the workspace's units; whether there were any."""
    timers = installed(root)
    if not timers:
        return False
    demand([PROGRAM, "--user", "disable", "--now", *(path.name for path in timers)])
    for path in timers:
        path.unlink()
        path.with_suffix(".service").unlink(missing_ok=True)
    demand([PROGRAM, "--user", "daemon-reload"])
    return True


def quoted(word: str) -> str:
    """One word of ``ExecStart``: neither split, nor a specifier, nor a variable.

    Source:
        systemd.service(5), "Command lines"; systemd.syntax(7), "Quoting".
    """
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    escaped = re.sub(r"[\x00-\x1f]", lambda found: f"\\x{ord(found[0]):02x}", escaped)
    return f'"{escaped}"'


def _stem(root: Path) -> str:
    path = str(root.resolve())
    words = re.sub(r"[^A-Za-z0-9]+", "-", root.resolve().name).strip("-")[:40] or "workspace"
    return f"recsysops-{words}-{hashlib.sha256(path.encode()).hexdigest()[:8]}"
