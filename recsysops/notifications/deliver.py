"""Sending what waits: each notice at most once as far as can be known, and again next time if it did not arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from recsysops.config.notification_settings import NotificationSettings, TargetSettings
from recsysops.config.variables import unset_variables
from recsysops.notifications import people
from recsysops.notifications.failures import SendError
from recsysops.notifications.notice import Notice
from recsysops.notifications.outbox import Outbox
from recsysops.notifications.pagers import page
from recsysops.reporting.plain import literal


@dataclass(frozen=True)
class Delivery:
    """What became of the notices of one run."""

    n_sent: int = 0
    n_waiting: int = 0
    """Held until the end of the quiet hours, the next digest, or the next try."""
    problems: tuple[str, ...] = ()
    """One line for each target that could not be reached, without secrets."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"sent": self.n_sent, "waiting": self.n_waiting, "problems": list(self.problems)}

    def __str__(self) -> str:
        return "; ".join([f"{self.n_sent} sent, {self.n_waiting} waiting", *self.problems])


@dataclass
class _Round:
    """One pass over the outbox."""

    outbox: Outbox
    settings: NotificationSettings
    workspace: str
    now: datetime
    n_sent: int = 0
    failing: dict[str, str] = field(default_factory=dict)
    given_up: list[str] = field(default_factory=list)
    passed: set[tuple[str, str]] = field(default_factory=set)
    """Targets and subjects of which something waits already: what comes later must not overtake it."""


def send_waiting(
    outbox: Outbox,
    settings: NotificationSettings,
    workspace: str,
    now: datetime,
    *,
    muted: frozenset[int] = frozenset(),
) -> Delivery:
    """Send every notice that is due; a target that fails is left alone for the rest of the run.

    Args:
        outbox: with the notices.
        settings: of the targets.
        workspace: its name, part of the key by which pagers know an alert.
        now: the present moment, with a zone.
        muted: incidents of which nobody wants to hear; their notices wait.
    """
    one = _Round(outbox, settings, workspace, now)
    for notice in _in_turn(outbox.waiting()):
        if notice.incident in muted or notice.due > now or (notice.target, notice.subject) in one.passed:
            one.passed.add((notice.target, notice.subject))
            continue
        _deliver(one, notice)
    n_waiting = len(outbox.waiting()) + len(outbox.entries())
    problems = [f"{name}: {why}" for name, why in one.failing.items()]
    return Delivery(one.n_sent, n_waiting, tuple(problems + one.given_up))


def _in_turn(waiting: Sequence[Notice]) -> list[Notice]:
    """In the order of writing, but what failed before lets the other subjects go first, or one notice could block all."""
    tries: dict[tuple[str, str], int] = {}
    for notice in waiting:
        about = (notice.target, notice.subject)
        tries[about] = max(notice.n_tries, tries.get(about, 0))
    return sorted(waiting, key=lambda notice: (tries[notice.target, notice.subject], notice.id))


def send_one(target: TargetSettings, notice: Notice, workspace: str) -> None:
    """Send a notice to a target.

    Raises:
        SendError: if it did not arrive.
    """
    unset = [name for text in (target.url, target.api_key) for name in unset_variables(text or "")]
    if unset:
        raise SendError(f"the environment variable {unset[0]} is not set")
    if target.is_pager:
        page(target, notice, workspace)
    else:
        people.send(target, notice)


def _deliver(one: _Round, notice: Notice) -> None:
    target = one.settings.targets.get(notice.target)
    if target is None:
        one.outbox.finish(notice, "no target", one.now)
        return
    if one.now - notice.created > timedelta(days=one.settings.give_up_days):
        one.outbox.finish(notice, "given up", one.now)
        one.given_up.append(f"{notice.target}: gave up on a notice of {notice.created:%Y-%m-%d} ({notice.subject})")
        return
    if notice.target in one.failing:
        one.passed.add((notice.target, notice.subject))
        return
    try:
        send_one(target, notice, one.workspace)
    except Exception as error:  # a service's client may fail in any way; the others must still hear
        reason = str(error) if isinstance(error, SendError) else f"{type(error).__name__} while sending"
        one.outbox.failed(notice, literal(reason))
        one.failing[notice.target] = literal(f"{reason}; tried again by the next run")
        one.passed.add((notice.target, notice.subject))
    else:
        one.outbox.finish(notice, "sent", one.now)
        one.n_sent += 1


def targets_named(settings: NotificationSettings, name: str | None) -> Mapping[str, TargetSettings]:
    """One target by its name, or all.

    Raises:
        ConfigError: if there is none.
    """
    from recsysops.errors import ConfigError

    if name is None and settings.targets:
        return settings.targets
    if name is not None and name in settings.targets:
        return {name: settings.targets[name]}
    known = ", ".join(settings.targets) or "a target under notifications.targets in recsysops.yaml"
    raise ConfigError("notify", found="no target" if name is None else f"no target {name!r}", expected=known)
