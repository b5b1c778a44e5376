"""From the words of ``show`` and ``items report`` to the report: which days, what to count, then tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.in_process import Engine
from recsysops.errors import ConfigError, NotEnoughDataError
from recsysops.incidents.calendar import complete_days, end_of
from recsysops.incidents.day_words import parse_since
from recsysops.incidents.detecting import utc_now
from recsysops.incidents.state import State
from recsysops.looking.item_rows import count_items
from recsysops.looking.items import ItemsReport, days_to_read, items_report
from recsysops.looking.measure_names import Shown
from recsysops.looking.show import Asked, ShowReport, dimension, show
from recsysops.profiles.catalogue import YOUNG_DAYS
from recsysops.profiles.measures import Cells, Measure
from recsysops.tables.table import Table


def count_and_show(
    shown: Shown,
    by: str | None,
    since: str,
    settings: WorkspaceSettings,
    table: Table,
    state: State | None,
    count: Callable[[Sequence[Measure]], Engine],
) -> ShowReport:
    """Count what is not counted yet and show it.

    Args:
        shown: what to show.
        by: slice dimension.
        since: first day, or ``14d``.
        settings: of the workspace.
        table: that is shown.
        state: of the workspace, for the days of incidents; None when nothing was ever judged.
        count: counts measures and gives the engine.

    Raises:
        ConfigError: if the words do not fit.
        NotEnoughDataError: if there are no rows in those days.
    """
    sliced_by = dimension(by, shown, table.schema.slices)
    engine = count(list(dict.fromkeys([Cells(shown.table, by_hour=True), shown.measure, *shown.also])))
    last = last_complete_day(engine, shown.table, settings)
    asked = Asked(shown, sliced_by, _first_day(since, last), last)
    *before, newest = asked.folded_days(settings.detect.reference_days)
    history = engine.history(before, [newest], now=end_of(newest))
    unfit = state.days_of_incidents(newest) if state else frozenset()
    return show(asked, history, workspace=settings.name, n_days=settings.detect.reference_days, unfit=unfit)


def report_items(
    owner: str | None,
    since: str,
    settings: WorkspaceSettings,
    tables: Mapping[str, Table],
    state: Path,
    count: Callable[[Sequence[Measure]], Engine],
) -> ItemsReport:
    """Read the days and report on items.

    Args:
        owner: whose items, or everybody's.
        since: first day, or ``14d``.
        settings: of the workspace.
        tables: of the workspace.
        state: its folder.
        count: counts measures and gives the engine.

    Raises:
        ConfigError: if there are no candidates, or nobody owns an item by that name.
        NotEnoughDataError: if nothing was shown in those days.
    """
    if "candidates" not in tables:
        raise ConfigError("items report", found="no table candidates", expected="one", next_step="add it")
    last = last_complete_day(count([Cells("candidates", by_hour=True)]), "candidates", settings)
    first = _first_day(since, last)
    days = days_to_read(last, first, max(settings.detect.reference_days, YOUNG_DAYS))
    counts = count_items(tables, days, state)
    return items_report(counts, (last - first).days + 1, workspace=settings.name, owner=owner)


def _first_day(since: str, last: date) -> date:
    first = parse_since(since, last)
    if first > last:
        raise NotEnoughDataError("--since", found=f"{since!r}, no rows from then on", expected=f"a day up to {last}")
    return first


def last_complete_day(engine: Engine, table: str, settings: WorkspaceSettings) -> date:
    """The last day with rows that will get no more; the last with rows when none is complete.

    Raises:
        NotEnoughDataError: if the table has no rows with a time.
    """
    present = engine.event_days(table)
    grace = settings.detect.grace_hours
    complete = complete_days(present, clock=settings.clock, now=utc_now(), grace_hours=grace)
    known = [day for day in complete if present.get(day)] or sorted(present)[-1:]
    if not known:
        raise NotEnoughDataError(table, found="no rows with a time", expected="some", next_step="run `recsysops check`")
    return known[-1]
