"""Putting a workspace's jobs into cron or systemd, saying what is there, and taking them out again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from recsysops.errors import ConfigError
from recsysops.scheduling import cron, systemd
from recsysops.scheduling.crontab import block, jobs_in, with_block, without_block
from recsysops.scheduling.jobs import Job

System = Literal["cron", "systemd"]


@dataclass(frozen=True)
class Installed:
    """What starts the runs of a workspace."""

    system: System
    lines: tuple[str, ...]
    """Lines of the crontab, or paths of timers."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"system": self.system, "lines": list(self.lines)}


def install(root: Path, commands: Mapping[Job, Sequence[str]], system: System | None) -> Installed:
    """Put the jobs in place of those there are.

    Args:
        root: of the workspace.
        commands: what starts each job.
        system: cron or systemd; None for cron where there is one, else systemd.

    Raises:
        ConfigError: if there is neither, or it refuses; nothing is left half done.
    """
    chosen = system or ("cron" if cron.is_there() else "systemd" if systemd.is_there() else None)
    if chosen is None:
        raise ConfigError(
            "schedule",
            found="neither `crontab` nor a systemd of the user",
            expected="one of them",
            next_step="install cron, or start `recsysops schedule run daily` by what you have",
        )
    if chosen == "cron":
        cron.write_crontab(with_block(cron.read_crontab(), root, block(root, commands)))
        _forget_timers(root)
    else:
        systemd.install(root, commands)
        if cron.is_there():
            _forget_lines(root)
    return next(one for one in installed(root) if one.system == chosen)


def installed(root: Path) -> tuple[Installed, ...]:
    """What there is of the workspace, in cron and in systemd."""
    found = []
    lines = jobs_in(cron.read_crontab(), root) if cron.is_there() else None
    if lines is not None:
        found.append(Installed("cron", lines))
    timers = systemd.installed(root)
    if timers:
        found.append(Installed("systemd", tuple(map(str, timers))))
    return tuple(found)


def remove(root: Path) -> tuple[Installed, ...]:
    """Take everything of the workspace out again; what was there."""
    before = installed(root)
    if any(one.system == "cron" for one in before):
        _forget_lines(root)
    _forget_timers(root)
    return before


def _forget_lines(root: Path) -> None:
    before = cron.read_crontab()
    after = without_block(before, root)
    if after != before:
        cron.write_crontab(after)


def _forget_timers(root: Path) -> None:
    if systemd.installed(root):
        systemd.remove(root)
