"""Measure a log as a site for faults: its last days, aggregated."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from recsysops.drills.planting.launched import launched_items
from recsysops.drills.site import Site
from recsysops.drills.sites.log_sample import NUMERIC_ROLES, LogSample
from recsysops.drills.sites.table_days import TableDays
from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.incidents.calendar import complete_days
from recsysops.incidents.detecting import utc_now
from recsysops.workspace import Workspace

if TYPE_CHECKING:
    from recsysops.tables.schema import TableSchema

MAX_DAYS = 7
MAX_ROWS = 200_000
SERIES_PER_COLUMN = 6


def site_of(workspace: Workspace | Path, *, is_simulated: bool = False, until: date | None = None) -> Site:
    """The facts of a workspace's candidates on its last complete days, at most seven, by at most about 200,000 rows.

    Larger logs are sampled by whole requests; then ``n_members`` is scaled as if nobody came twice, and ``n_items`` is
    of the sample.

    Args:
        workspace: an opened workspace, or its folder.
        is_simulated: whether the simulated service wrote it.
        until: the first day not to look at.

    Raises:
        ConfigError: if the workspace has no candidates.
        NotEnoughDataError: if they have no complete day before ``until``.
        SchemaError, SourceError: if the log cannot be read.
    """
    opened = workspace if isinstance(workspace, Workspace) else Workspace(workspace)
    log = candidates_of(opened)
    known = complete_days_of(opened, log, until)
    days = known[-MAX_DAYS:]
    rate = min(1.0, MAX_ROWS / sum(log.days[day] for day in days))
    columns_read = _columns(log.table.schema)
    read = [log.read(day, columns_read, rate) for day in days]
    if not any(map(len, read)):  # a handful of giant requests, none of which was drawn
        rate, read = 1.0, [log.read(day, columns_read) for day in days]
    sample = LogSample(log.table.schema, read)
    outcomes = TableDays(opened.tables["outcomes"]) if "outcomes" in opened.tables else None
    n_outcomes = sum(outcomes.days.get(day, 0) for day in days) / len(days) if outcomes else 0.0
    n_impressions = max(sample.n_impressions / rate / len(days), 1.0)
    slices, n_items = sample.slices(), sample.distinct("item_id")
    return Site(
        sample.columns(),
        slices,
        {name: frozenset(table.settings.roles) for name, table in opened.tables.items()},
        n_rows=sum(log.days[day] for day in days) / len(days),
        n_requests=sample.distinct("request_id") / rate,
        n_members=sample.distinct("member_id") / rate,
        n_outcomes=n_outcomes,
        n_items=n_items,
        outcome_rate=n_outcomes / n_impressions,
        top_item_share=sample.top_item_share,
        n_series=int(n_items) + _n_series(opened, 1 + sum(map(len, slices.values()))),
        n_reference_days=max(1, min(opened.settings.detect.reference_days, len(known) - 1)),
        item_ids=sample.item_ids,
        launched_ids=launched_items(opened.tables.get("items"), days[-1]),
        is_simulated=is_simulated,
    )


def candidates_of(opened: Workspace) -> TableDays:
    """The log of candidates; ConfigError if there is none."""
    if "candidates" not in opened.tables:
        raise ConfigError("drill", found="no table candidates", expected="a log of candidates", next_step="name it")
    return TableDays(opened.tables["candidates"])


def complete_days_of(opened: Workspace, log: TableDays, until: date | None = None) -> tuple[date, ...]:
    """The complete days of the log, oldest first, before ``until``; NotEnoughDataError if there is none."""
    settings = opened.settings
    complete = complete_days(
        list(log.days), clock=settings.clock, now=utc_now(), grace_hours=settings.detect.grace_hours
    )
    known = tuple(day for day in complete if day in log.days and (until is None or day < until))
    if not known:
        raise NotEnoughDataError(
            "drill",
            found="no complete day of candidates" + (f" before {until}" if until else ""),
            expected="at least one",
            next_step="run `recsysops check`",
        )
    return known


def _n_series(opened: Workspace, n_slices: int) -> int:
    """About as many as the built-in detectors look at, beside items: a missing rate and five statistics of what is there.

    On two logs it was within a factor of 1.5 of what they said afterwards.
    """
    return sum(
        SERIES_PER_COLUMN
        * sum(bool(column.role) or column.is_feature for column in table.schema.columns)
        * (n_slices if name == "candidates" else 1)
        for name, table in opened.tables.items()
    )


def _columns(schema: TableSchema) -> list[str]:
    roles = ("request_id", "ts", "item_id", "member_id", "shown", "position", *NUMERIC_ROLES)
    chosen = [column.name for role in roles if (column := schema.role(role)) is not None]
    return list(dict.fromkeys([*chosen, *(column.name for column in schema.features), *schema.slices]))
