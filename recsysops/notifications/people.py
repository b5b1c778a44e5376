"""Chats, mail and everything else that people read, through Apprise."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from recsysops.config.notification_settings import TargetSettings
from recsysops.notifications.failures import SendError, within
from recsysops.notifications.notice import ENDS, Notice

if TYPE_CHECKING:
    from apprise import Apprise, NotifyType


def send(target: TargetSettings, notice: Notice) -> None:
    """Send a notice as plain text; what the service reads as markup has been taken out before.

    Raises:
        SendError: if Apprise does not know the URL, or the service did not take it. No part of the URL is in the reason.
    """
    import apprise

    url = target.url or ""
    with _heard() as said:
        service = _service(url, target.timeout_seconds)
        if service is None:
            raise SendError("Apprise does not know this kind of URL, or a part of it is missing")
        taken: list[bool] = []

        def notify() -> None:
            result = service.notify(
                notice.message.body or notice.message.title,
                notice.message.title,
                notify_type=_kind(notice),
                body_format=apprise.NotifyFormat.TEXT,
            )
            taken.append(bool(result))

        within(2 * target.timeout_seconds, notify)  # connecting and reading may each take that long
    if not all(taken):
        raise SendError(_without(said[-1] if said else "the service did not take it", url))


def _service(url: str, timeout_seconds: float) -> Apprise | None:
    import apprise

    asset = apprise.AppriseAsset(app_id="recsysops", app_desc="recsysops", async_mode=False)
    timeouts = f"cto={timeout_seconds:g}&rto={timeout_seconds:g}&redirect=no"
    service = apprise.Apprise(asset=asset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of its mail plugin, for a module that left Python
        is_known = service.add(f"{url}{'&' if '?' in url else '?'}{timeouts}")
    return service if is_known else None


def _kind(notice: Notice) -> NotifyType:
    import apprise

    if notice.event in ENDS:
        return apprise.NotifyType.SUCCESS
    if notice.event in ("digest", "test"):
        return apprise.NotifyType.INFO
    return apprise.NotifyType.FAILURE if notice.severity == "critical" else apprise.NotifyType.WARNING


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What Apprise complains of, kept from the terminal for the length of the block."""
    logger = logging.getLogger("apprise")
    said: list[str] = []
    ear = logging.Handler(logging.WARNING)
    ear.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    before = logger.propagate
    logger.addHandler(ear)
    logger.propagate = False
    try:
        yield said
    finally:
        logger.removeHandler(ear)
        logger.propagate = before


def _without(reason: str, url: str) -> str:
    """The reason without anything that stands in the URL behind its scheme."""
    for part in sorted(set(re.split(r"[/:@?&=,+]+", url.partition("://")[2])), key=len, reverse=True):
        if len(part) > 2:
            reason = reason.replace(part, "…")
    return " ".join(reason.split())[:200].rstrip(".")
