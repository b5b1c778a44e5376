"""What is started when: the tiers as jobs, and the words of each command. Pure."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recsysops.config.settings import WorkspaceSettings

Tier = Literal["fast", "daily", "notices"]
"""``notices`` sends what waited for the end of quiet hours; it looks at nothing."""
TIERS: tuple[Tier, ...] = ("fast", "daily", "notices")


@dataclass(frozen=True)
class Job:
    """One line of a schedule."""

    tier: Tier
    every_minutes: int | None
    """None for once a day."""
    at: tuple[int, int] = (0, 0)
    """Hour and minute of the machine's clock, for once a day; the minute alone for once an hour."""

    @property
    def cron(self) -> str:
        """The five fields of cron."""
        if self.every_minutes is None:
            return f"{self.at[1]} {self.at[0]} * * *"
        return f"{self.at[1]} * * * *" if self.every_minutes == 60 else f"*/{self.every_minutes} * * * *"

    @property
    def calendar(self) -> str:
        """The same for a systemd timer."""
        if self.every_minutes is None:
            return f"*-*-* {self.at[0]:02}:{self.at[1]:02}:00"
        return f"*-*-* *:{self.at[1]:02}:00" if self.every_minutes == 60 else f"*-*-* *:0/{self.every_minutes}:00"

    @property
    def words(self) -> str:
        """For people: ``every 5 minutes``, ``daily at 06:30``."""
        if self.every_minutes is None:
            return f"daily at {self.at[0]:02}:{self.at[1]:02}"
        return "every hour" if self.every_minutes == 60 else f"every {self.every_minutes} minutes"


def jobs_of(settings: WorkspaceSettings, tiers: Sequence[str]) -> tuple[Job, ...]:
    """The jobs of a workspace.

    Args:
        settings: of the workspace.
        tiers: those that ``detect`` knows.
    """
    schedule = settings.schedule
    hour, minute = map(int, schedule.daily.at.split(":"))
    jobs = [Job("fast", schedule.fast.every_minutes)] if "fast" in tiers else []
    jobs.append(Job("daily", None, (hour, minute)))
    if settings.notifications.quiet_hours is not None and "fast" not in tiers:
        jobs.append(Job("notices", 60, (0, 5)))
    return tuple(jobs)


def detect_words(tier: Tier, *, has_tiers: bool) -> list[str]:
    """The words of the command that a job runs, after ``recsysops`` and the global options."""
    if tier == "notices":
        return ["notify", "send", "--json"]
    return ["detect", *(["--tier", tier] if has_tiers else []), "--json"]


def commands_of(
    jobs: Sequence[Job], program: Sequence[str], environment: Path | None = None
) -> Mapping[Job, Sequence[str]]:
    """What starts each job: the program, ``schedule run TIER``, and the file of variables if there is one."""
    extra = [] if environment is None else ["--environment", str(environment.resolve())]
    return {job: [*program, "schedule", "run", job.tier, *extra] for job in jobs}


def program_words(root: Path, env: str | None, brand: str | None) -> list[str]:
    """This very program on this workspace, wherever it is started from; cron knows neither PATH nor folder."""
    named = (("--workspace", root.resolve()), ("--env", env), ("--brand", brand))
    return [
        sys.executable,
        "-m",
        "recsysops",
        *(word for option, value in named if value is not None for word in (option, str(value))),
    ]
