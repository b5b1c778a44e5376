"""From the words of ``show`` to its report: which days, what to count, then fold and tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recsysops.config.settings import WorkspaceSettings
from recsysops.engines.in_process import Engine
from recsysops.errors import NotEnoughDataError
from recsysops.incidents.calendar import complete_days, end_of
from recsysops.incidents.day_words import parse_since
from recsysops.incidents.detecting import utc_now
from recsysops.incidents.state import State
from recsysops.looking.measure_names import Shown
from recsysops.looking.show import Asked, ShowReport, dimension, show
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
    engine = count(list(dict.fromkeys([Cells(shown.table, by_hour=True), shown.measure])))
    present = engine.event_days(shown.table)
    grace = settings.detect.grace_hours
    complete = complete_days(present, clock=settings.clock, now=utc_now(), grace_hours=grace)
    known = [day for day in complete if present.get(day)] or sorted(present)[-1:]
    if not known:
        raise NotEnoughDataError(
            f"show {shown.title}", found="no rows with a time", expected="some", next_step="run `recsysops check`"
        )
    last = known[-1]
    asked = Asked(shown, sliced_by, parse_since(since, last), last)
    *before, newest = asked.folded_days(settings.detect.reference_days)
    history = engine.history(before, [newest], now=end_of(newest))
    unfit = state.days_of_incidents(newest) if state else frozenset()
    return show(asked, history, workspace=settings.name, n_days=settings.detect.reference_days, unfit=unfit)
