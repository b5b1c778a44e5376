"""What a run could not look at, told apart by subject, so that each is told once per change. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from recsysops.incidents.calendar import end_of
from recsysops.triage.findings import Severity, Skipped

Watched = Literal["run", "lock", "detectors", "data"]
N_NAMED = 3


def watched(tier: str, *names: Watched) -> tuple[str, ...]:
    """Subjects of notices: the tiers look at different things, so each is told of by itself."""
    return tuple(f"watch {tier} {name}" for name in names)


@dataclass(frozen=True)
class Blindness:
    """Something that could not be looked at."""

    about: Watched
    status: str
    """Changes when there is something new to say."""
    severity: Severity
    what: str
    reason: str
    commands: tuple[str, ...]


def failed_detectors(skipped: Sequence[Skipped]) -> Blindness | None:
    """Detectors that failed; a detector more or fewer is news, another wording of the same failure is not."""
    failed = {one.detector: one.reason for one in sorted(skipped, key=lambda one: one.detector) if one.kind == "failed"}
    if not failed:
        return None
    named = ", ".join([*list(failed)[:N_NAMED], *(["…"] if len(failed) > N_NAMED else [])])
    what = f"{len(failed)} of the detectors failed: {named}"
    reasons = " · ".join(f"{name}: {reason}" for name, reason in list(failed.items())[:N_NAMED])
    return Blindness("detectors", "failed " + " ".join(failed), "warning", what, reasons, ("check",))


def late_data(
    last_judged: date | None, n_rows: int | None, now: datetime, *, grace_hours: float, is_live: bool
) -> Blindness | None:
    """The newest day that could be judged is older than it should be, or has no rows of candidates.

    Args:
        last_judged: the newest judged day.
        n_rows: candidates on it, if it was judged in this run.
        now: the present moment, with a zone.
        grace_hours: how long after its end a day counts as complete.
        is_live: whether the workspace's clock is the wall's; an archive is never late.
    """
    if not is_live or last_judged is None:
        return None
    age = now.astimezone(UTC) - end_of(last_judged)
    if age > timedelta(hours=24 + grace_hours):
        what = f"data is late: the newest complete day is {last_judged}"
        reason = f"a day should be complete {grace_hours:g} h after its end; it has been {age // timedelta(hours=1)} h"
        return Blindness("data", "late", "warning", what, reason, ("check", "detect"))
    if n_rows == 0:
        what = f"there are no candidates on {last_judged}"
        return Blindness(
            "data", "empty", "warning", what, "the day was judged without any row of them", ("check", "detect")
        )
    return None


def failed_run(exit_code: int, reason: str) -> Blindness:
    """A run ended before it had looked."""
    what = (
        f"the run failed with exit code {exit_code}" if exit_code >= 0 else f"the run was killed by signal {-exit_code}"
    )
    return Blindness("run", f"exit {exit_code}", "critical", what, reason, ("check", "detect"))


def held_lock(reason: str, minutes: float) -> Blindness:
    """Another run has held the workspace for too long."""
    what = f"another run has held the workspace for {minutes:.0f} min"
    return Blindness("lock", "held", "critical", what, reason, ("detect",))
