"""Who is told of what. Pure."""

from __future__ import annotations

from recsysops.config.notification_settings import NotificationSettings, RouteSettings
from recsysops.config.settings import WorkspaceSettings
from recsysops.notifications.notice import Event
from recsysops.triage.findings import Severity


def targets_of(
    settings: NotificationSettings, *, owner: str, stage: str, severity: Severity, event: Event
) -> tuple[str, ...]:
    """Names of the targets that hear of it, in the order of the settings.

    Every route that matches adds its targets. What no route takes goes to all of them: nothing is lost for want of a route.
    Pagers hear of what is critical and of nothing else, unless there is nobody else to say that a run could not look.
    """
    wanted = [name for route in settings.routes if _matches(route, owner, stage, severity) for name in route.to]
    named = [name for name in settings.targets if name in wanted] or list(settings.targets)
    people = [name for name in named if not settings.targets[name].is_pager]
    if severity == "critical":
        return tuple(named if event != "acknowledged" else [name for name in named if name not in people])
    if event == "acknowledged":
        return ()
    return tuple(named if event in ("blind", "seeing") and not people else people)


def owner_of(settings: WorkspaceSettings, entity: str) -> str:
    """Who owns ``table.column`` or ``table``, by the settings; empty when nobody does."""
    name, _, column = entity.partition(".")
    table = settings.tables.get(name)
    if table is None:
        return ""
    own = table.columns.get(column)
    return (own.owner if own and own.owner else table.owner) or ""


def _matches(route: RouteSettings, owner: str, stage: str, severity: Severity) -> bool:
    wanted = ((route.owner, owner), (route.stage, stage), (route.severity, severity))
    return all(asked is None or asked == found for asked, found in wanted)
