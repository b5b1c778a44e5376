"""When runs are started by cron or systemd: the section ``schedule``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from recsysops.config.notification_settings import Clock
from recsysops.config.section import Settings


class FastSettings(Settings):
    """The tier of every few minutes."""

    every_minutes: Annotated[int, Field(ge=1, le=30)] = 5
    ping_url: str | None = Field(None, description="dead man's switch; /start and /fail are appended")


class DailySettings(Settings):
    """The tier of once a day."""

    at: Clock = Field("06:30", description="by the machine's own clock")
    ping_url: str | None = Field(None, description="dead man's switch; /start and /fail are appended")


class ScheduleSettings(Settings):
    """Tiers, retries and the log of scheduled runs."""

    fast: FastSettings = FastSettings()
    daily: DailySettings = DailySettings()
    retries: Annotated[int, Field(ge=0, le=10)] = Field(3, description="after an internal error (exit 3) only")
    retry_seconds: Annotated[float, Field(ge=0, le=3600)] = Field(
        60.0, description="before the first; doubles each time"
    )
    lock_patience_minutes: Annotated[float, Field(gt=0, le=10_000)] = Field(
        120.0, description="another run may hold the workspace so long before somebody is told"
    )
    log_bytes: Annotated[int, Field(ge=1_000, le=1_000_000_000)] = 1_000_000
    log_files: Annotated[int, Field(ge=1, le=100)] = Field(5, description="older logs that are kept")
