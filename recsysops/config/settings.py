"""The typed settings of a workspace: what ``recsysops.yaml`` may say."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from recsysops.config.declared import Declared
from recsysops.config.notification_settings import MetricsSettings, NotificationSettings
from recsysops.config.schedule_settings import ScheduleSettings
from recsysops.config.section import Settings

Scalar = str | int | float | bool


class SourceSettings(Settings):
    """Where the rows of a table are."""

    path: str = Field(min_length=1, description="file, folder, glob or URL, relative to the workspace")
    format: str = Field(
        "auto",
        description="auto, parquet, csv, jsonl, arrow, duckdb, sqlite, delta, iceberg, database, or a plugin's name",
    )
    table: str | None = Field(None, description="table or view of a database or catalogue")
    options: dict[str, Scalar] = Field(default_factory=dict, description="reader options, e.g. delimiter for CSV")


class ColumnSettings(Settings):
    """What is known of one column beside its name."""

    kind: Literal["numeric", "categorical", "timestamp", "boolean", "other"] | None = None
    default: float | str | None = Field(None, description="value that missing entries are filled with upstream")
    mask: str | None = Field(None, description="companion column, true where the value was defaulted")
    owner: str | None = None
    contact: str | None = None
    lineage: str | None = Field(None, description="upstream table.column the values come from")
    agrees_with: list[str] = Field(
        default_factory=list, description="columns, or table.column, that tell the same: input.upstream_disagreement"
    )


class TableSettings(Settings):
    """One table of the data contract."""

    source: SourceSettings
    roles: dict[str, str] = Field(description="role of the contract: column of the logs")
    features: list[str] = Field(default_factory=list, description="column names or globs")
    slices: list[str] = Field(default_factory=list, description="columns that every count is split by")
    unnest: list[str] = Field(
        default_factory=list, description="array columns of slate-shaped logs, one entry per candidate"
    )
    columns: dict[str, ColumnSettings] = Field(default_factory=dict)
    timezone: str | None = Field(None, description="of timestamps that name none; the workspace's when empty")
    label_window_days: Annotated[int, Field(ge=0, le=90)] = Field(
        2, description="outcomes: how long they count for a request"
    )
    owner: str | None = None
    contact: str | None = None


class BudgetSettings(Settings):
    """How many false alarms people accept."""

    page_per_30_days: Annotated[float, Field(gt=0, le=300)] = 1.0
    digest_per_week: Annotated[float, Field(gt=0, le=100)] = 2.0


class EngineSettings(Settings):
    """Where partitions are counted."""

    kind: Literal["in_process", "spark"] = "in_process"
    master: str = Field("local[*]", min_length=1, description="spark: spark://host:7077, yarn, local[4] …")
    options: dict[str, Scalar] = Field(default_factory=dict, description="spark: its settings, spark.executor.memory …")


class DetectSettings(Settings):
    """How days are judged."""

    reference_days: Annotated[int, Field(ge=1, le=365)] = Field(
        28, description="days before the judged one that it is compared with"
    )
    grace_hours: Annotated[float, Field(ge=0, le=240)] = Field(
        6.0, description="after midnight, until a day without later rows counts as complete"
    )
    grace_minutes: Annotated[float, Field(ge=0, le=1440)] = Field(
        60.0, description="after its end, until an hour without later rows counts as complete (--tier fast)"
    )
    fail_on: Literal["info", "warning", "critical"] = "warning"
    seed: int = 0


class StateSettings(Settings):
    """Where the workspace's own state is: a folder, and the database inside it or on a server."""

    folder: str = Field(".recsysops", description="folder for profiles, locks and the state database")
    url: str | None = Field(
        None,
        pattern=r"^postgres(ql)?(\+psycopg)?://",
        description="PostgreSQL for a team, e.g. ${STATE_URL}; SQLite in the folder when empty",
    )
    namespace: str | None = Field(
        None, pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="schema inside that database; from the name when empty"
    )


def _as_folder(value: object) -> object:
    """``state: PATH`` is short for ``state: {folder: PATH}``."""
    return {"folder": value} if isinstance(value, str) else value


class WorkspaceSettings(Settings):
    """The whole of ``recsysops.yaml`` after ``extends`` and ``${VAR}`` are resolved."""

    version: Literal[1] = 1
    name: str = Field("recommender", min_length=1, max_length=100)
    timezone: str = "UTC"
    clock: Literal["wall", "archive"] = Field(
        "wall", description="archive: the newest row is now (for logs of the past)"
    )
    state: Annotated[StateSettings, BeforeValidator(_as_folder)] = StateSettings()
    model_folders: list[str] = Field(
        default_factory=list, description="folders beside the workspace's own that model files may lie in"
    )
    tables: dict[str, TableSettings]
    detectors: dict[str, dict[str, Any]] = Field(default_factory=dict, description="parameters by detector name")
    skip: list[str] = Field(default_factory=list, description="detectors that are off")
    concerns: Declared = Field(default_factory=dict, description="numbers that somebody cares about, by name")
    checks: Declared = Field(default_factory=dict, description="rules that must hold, by name")
    budget: BudgetSettings = BudgetSettings()
    detect: DetectSettings = DetectSettings()
    engine: EngineSettings = EngineSettings()
    notifications: NotificationSettings = NotificationSettings()
    metrics: MetricsSettings = MetricsSettings()
    schedule: ScheduleSettings = ScheduleSettings()
