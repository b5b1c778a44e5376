"""Trying targets out: a notice that says it is a test, kept nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from recsysops.config.settings import WorkspaceSettings
from recsysops.notifications.deliver import send_one, targets_named
from recsysops.notifications.failures import SendError
from recsysops.notifications.notice import Notice
from recsysops.notifications.texts import Voice, trial_message
from recsysops.reporting.plain import literal


def try_targets(settings: WorkspaceSettings, voice: Voice, name: str | None = None) -> dict[str, str | None]:
    """Send a test to one target, or to all; a pager's alert is triggered and resolved at once.

    Returns:
        for each target None if it arrived, else why not.

    Raises:
        ConfigError: if there is no such target.
    """
    answers: dict[str, str | None] = {}
    now = datetime.now(UTC)
    for target, where in targets_named(settings.notifications, name).items():
        notice = Notice("test", target, "test", "test", "warning", trial_message(target, voice), now, now)
        try:
            send_one(where, notice, settings.name)
            if where.is_pager:
                send_one(where, replace(notice, event="seeing"), settings.name)
            answers[target] = None
        except SendError as error:
            answers[target] = literal(error)
    return answers
