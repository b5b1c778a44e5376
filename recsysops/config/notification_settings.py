"""Who is told what, and when: the sections ``notifications`` and ``metrics``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from recsysops.config.section import Settings

Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day such as ``07:00``."""
TargetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,60}$")]
PAGERS = frozenset({"pagerduty", "opsgenie"})


class TargetSettings(Settings):
    """A place where notices go."""

    kind: Literal["apprise", "pagerduty", "opsgenie"] = "apprise"
    url: str | None = Field(
        None, description="apprise: the service's URL; a pager: its API's address, if not the usual"
    )
    api_key: str | None = Field(None, description="pagerduty: the integration's routing key; opsgenie: the API key")
    timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 10.0

    @property
    def is_pager(self) -> bool:
        """Whether it wakes people: it gets what is critical and nothing else."""
        return self.kind in PAGERS


class RouteSettings(Settings):
    """Which incidents go to which targets; what is left out matches everything."""

    to: Annotated[list[str], Field(min_length=1)]
    owner: str | None = Field(None, description="owner of the column, or of its table")
    stage: str | None = Field(None, description="upstream, feature, ranking …")
    severity: Literal["warning", "critical"] | None = None


class QuietHours(Settings):
    """When nobody is told of what is not critical; it is held until the end."""

    start: Clock
    end: Clock
    timezone: str | None = Field(None, description="the workspace's when empty")


class NotificationSettings(Settings):
    """Targets, which incident goes to which of them, and quiet hours."""

    targets: dict[TargetName, TargetSettings] = Field(default_factory=dict)
    routes: list[RouteSettings] = Field(default_factory=list)
    quiet_hours: QuietHours | None = None
    give_up_days: Annotated[int, Field(ge=1, le=90)] = Field(7, description="what did not arrive by then is let go of")


class MetricsSettings(Settings):
    """Numbers of the last runs for Prometheus."""

    textfile: str | None = Field(None, description="a .prom file in the node exporter's textfile folder")
