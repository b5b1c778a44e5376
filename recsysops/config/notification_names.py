"""What the sections ``notifications`` and ``schedule`` name must exist, and each target must have what its kind needs."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.config.notification_settings import NotificationSettings, TargetSettings
from recsysops.config.problems import Problem, dotted
from recsysops.config.yaml_dialect import shown


def notification_problems(settings: NotificationSettings) -> Iterator[Problem]:
    """Every target that lacks something, and every route to a target that there is not. No secret is shown."""
    for name, target in settings.targets.items():
        yield from _target(name, target)
    known = ", ".join(settings.targets) or "a target under notifications.targets"
    for number, route in enumerate(settings.routes):
        for name in route.to:
            if name not in settings.targets:
                yield Problem(dotted(("notifications", "routes", number, "to")), shown(name), known)


def _target(name: str, target: TargetSettings) -> Iterator[Problem]:
    needed = "api_key" if target.is_pager else "url"
    if not getattr(target, needed):
        place = dotted(("notifications", "targets", name, needed))
        yield Problem(place, "nothing", f"what {target.kind} needs, e.g. ${{{name.upper().replace('-', '_')}_KEY}}")
