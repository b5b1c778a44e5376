"""Quiet hours: until when something that is not critical is held. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from recsysops.config.notification_settings import QuietHours


def after_quiet(moment: datetime, quiet: QuietHours | None, timezone: str) -> datetime:
    """The moment itself, or the end of the quiet hours that it lies in.

    Args:
        moment: with a zone.
        quiet: from ``start`` (included) to ``end`` (not), by the clocks of their zone; over midnight if end < start.
        timezone: of the quiet hours when they name none.

    Returns:
        in UTC. Where a clock change skips the end, the moment at which the skipped time would have been.

    Example:
        >>> hours = QuietHours(start="22:00", end="07:00")
        >>> after_quiet(datetime(2026, 11, 20, 23, 30, tzinfo=UTC), hours, "Europe/Oslo").isoformat()
        '2026-11-21T06:00:00+00:00'
    """
    if quiet is None:
        return moment.astimezone(UTC)
    zone = ZoneInfo(quiet.timezone or timezone)
    local = moment.astimezone(zone)
    start, end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    now = local.time().replace(tzinfo=None)
    is_quiet = start <= now < end if start <= end else now >= start or now < end
    if not is_quiet:
        return moment.astimezone(UTC)
    day = local.date() + timedelta(days=1 if start > end and now >= start else 0)
    morning = datetime.combine(day, end, zone).astimezone(UTC)
    return max(morning, moment.astimezone(UTC))
