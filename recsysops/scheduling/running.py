"""One scheduled run: the lock, the command, its retries, the switch, the log, and the alarm when it could not look."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from recsysops.config.schedule_settings import ScheduleSettings
from recsysops.errors import LockHeldError
from recsysops.incidents.lock import workspace_lock
from recsysops.notifications.after_run import Place, after_failure
from recsysops.notifications.deliver import Delivery
from recsysops.notifications.watching import Blindness, failed_run, held_lock
from recsysops.reporting.plain import literal
from recsysops.scheduling import run_log
from recsysops.scheduling.jobs import Tier
from recsysops.scheduling.ping import Moment, ping

INTERNAL_ERROR, INTERRUPTED = 3, 130
LOOKED = frozenset({0, 1, 6})
WAIT_SECONDS = 30.0
LOGS = "logs"
_SINCE = re.compile(r"since (\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d))")


@dataclass(frozen=True)
class Attempt:
    """What one run of the command came to."""

    exit_code: int
    """Negative: killed by that signal."""
    answer: dict[str, Any]
    """The object it printed; empty when it printed none."""
    complaints: tuple[str, ...]
    seconds: float

    @property
    def error(self) -> str:
        """Its one-line error, or the last thing it said."""
        told = self.answer.get("error", {}).get("message", "")
        return str(told) or (self.complaints[-1] if self.complaints else "")

    @property
    def is_locked_out(self) -> bool:
        """Whether another run held the workspace."""
        return bool(self.answer.get("error", {}).get("kind") == LockHeldError.__name__)


@dataclass(frozen=True)
class ScheduledRun:
    """How a scheduled run ended."""

    exit_code: int
    n_tries: int
    said: tuple[str, ...] = ()
    """Problems of the switch and of telling people."""


@dataclass(frozen=True)
class Runner:
    """Runs one tier of one workspace; ``now`` and ``sleep`` are the clock's."""

    place: Place
    tier: Tier
    command: Sequence[str]
    """Program and words."""
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    sleep: Callable[[float], None] = time.sleep

    @property
    def _schedule(self) -> ScheduleSettings:
        return self.place.settings.schedule

    def run(self) -> ScheduledRun:
        """Run the command under the tier's lock, and look after what it came to.

        Raises:
            LockHeldError: if the same tier is still being run.
        """
        folder = self.place.location.folder
        with workspace_lock(folder, f"schedule run {self.tier}", f"schedule-{self.tier}.lock"):
            said = [self._ping("start")]
            tries = list(self._tries())
            last = tries[-1]
            is_waiting = last.is_locked_out and not self._has_waited_long(last)
            said.append(self._ping("success" if last.exit_code in (0, 1) or is_waiting else "fail"))
            problems = [problem for problem in said if problem]
            if not is_waiting:
                problems += self._alarm(last).problems
            self._log(tries, problems)
        return ScheduledRun(last.exit_code, len(tries), tuple(problems))

    def _tries(self) -> Iterator[Attempt]:
        """An internal error is tried again, each time after twice the wait; a daily run waits for the lock."""
        n_failed = 0
        while True:
            attempt = self._attempt()
            yield attempt
            if attempt.exit_code == INTERNAL_ERROR and n_failed < self._schedule.retries:
                self.sleep(self._schedule.retry_seconds * 2**n_failed)
                n_failed += 1
            elif self.tier == "daily" and attempt.is_locked_out and not self._has_waited_long(attempt):
                self.sleep(WAIT_SECONDS)
            else:
                return

    def _attempt(self) -> Attempt:
        started = time.monotonic()
        done = subprocess.run(  # noqa: S603  (this very program)
            list(self.command), stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
        complaints = tuple(literal(line) for line in done.stderr.decode(errors="replace").splitlines() if line.strip())
        return Attempt(done.returncode, _answer(done.stdout), complaints, time.monotonic() - started)

    def _has_waited_long(self, attempt: Attempt) -> bool:
        return self._held_for(attempt) > timedelta(minutes=self._schedule.lock_patience_minutes)

    def _held_for(self, attempt: Attempt) -> timedelta:
        """How long the other run has been at it, by its own word."""
        since = _SINCE.search(attempt.error)
        return self.now() - datetime.fromisoformat(since[1]) if since else timedelta()

    def _alarm(self, last: Attempt) -> Delivery:
        """A run that came to its end has told people by itself."""
        if self.tier == "notices" or last.exit_code in LOOKED or last.exit_code == INTERRUPTED:
            return Delivery()
        blind: Blindness = (
            held_lock(last.error, self._held_for(last) / timedelta(minutes=1))
            if last.is_locked_out
            else failed_run(last.exit_code, last.error)
        )
        return after_failure(self.place, self.tier, last.exit_code, blind, last.seconds, self.now())

    def _ping(self, moment: Moment) -> str:
        urls = {"fast": self._schedule.fast.ping_url, "daily": self._schedule.daily.ping_url}
        return ping(urls.get(self.tier), moment)

    def _log(self, tries: Sequence[Attempt], problems: Sequence[str]) -> None:
        schedule = self._schedule
        moment = self.now().astimezone(UTC).isoformat(timespec="seconds")
        lines = [f"{moment} {self.tier} {line}" for attempt in tries for line in _told(attempt)]
        lines += [f"{moment} {self.tier}   {problem}" for problem in problems]
        text = "".join(f"{line}\n" for line in lines)
        folder = self.place.location.folder / LOGS
        run_log.append(folder, text, max_bytes=schedule.log_bytes, n_files=schedule.log_files)


def _answer(stdout: bytes) -> dict[str, Any]:
    try:
        value = json.loads(stdout)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _told(attempt: Attempt) -> Iterator[str]:
    """One line for the log, and what the run complained of."""
    yield f"exit {attempt.exit_code} · {_summary(attempt)} · {attempt.seconds:.1f} s"
    yield from (f"  {line}" for line in attempt.complaints if line != f"error: {attempt.error}")


def _summary(attempt: Attempt) -> str:
    answer = attempt.answer
    if "window" in answer:
        severities = [one.get("severity") for one in answer.get("incidents", ())]
        days = answer["window"].get("days") or ["nothing new"]
        found = ", ".join(
            f"{severities.count(one)} {one}" for one in ("critical", "warning", "info") if one in severities
        )
        span = days[0] if len(days) == 1 else f"{days[0]} … {days[-1]}"
        return f"{span}: {found or 'nothing found'}"
    if "sent" in answer:
        return f"{answer['sent']} sent, {answer.get('waiting', 0)} waiting"
    return literal(attempt.error or "no answer", 300)
