"""Names in the settings that must exist elsewhere: tables and roles of the data contract, time zones."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from recsysops.config.notification_names import notification_problems
from recsysops.config.problems import Problem, dotted, unknown_key
from recsysops.config.settings import TableSettings, WorkspaceSettings
from recsysops.config.yaml_dialect import shown
from recsysops.tables.contract import TABLES


def name_problems(settings: WorkspaceSettings) -> list[Problem]:
    """Every table, role or time zone that does not exist, in the file's order."""
    problems = [*_zone(settings.timezone, ("timezone",))]
    for name, table in settings.tables.items():
        if name in TABLES:
            problems += _table(name, table)
        else:
            problems.append(unknown_key(("tables", name), sorted(TABLES)))
    quiet = settings.notifications.quiet_hours
    if quiet is not None and quiet.timezone is not None:
        problems += _zone(quiet.timezone, ("notifications", "quiet_hours", "timezone"))
    problems += notification_problems(settings.notifications)
    return problems


def is_time_zone(name: str) -> bool:
    """Whether the time zone database knows the name."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, or not a name at all (``../x``, a folder of zones)
        return False
    return True


def _table(name: str, table: TableSettings) -> Iterator[Problem]:
    roles = [role.name for role in TABLES[name].roles]
    for role in table.roles:
        if role not in roles:
            yield unknown_key(("tables", name, "roles", role), roles)
    if table.timezone is not None:
        yield from _zone(table.timezone, ("tables", name, "timezone"))


def _zone(zone: str, location: tuple[str, ...]) -> Iterator[Problem]:
    if not is_time_zone(zone):
        yield Problem(dotted(location), shown(zone), "a time zone such as UTC or Europe/Oslo")
