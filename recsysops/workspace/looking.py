"""What looks and judges nothing: where things stand, a measure's series, how items fare, a finding's arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from recsysops.engines.progress import SILENT, Progress
from recsysops.workspace.counting import counted_by, detectors_of, judge_with
from recsysops.workspace.opened import Opened

if TYPE_CHECKING:
    from recsysops.engines.in_process import Engine
    from recsysops.looking.explain import Explanation
    from recsysops.looking.items import ItemsReport
    from recsysops.looking.measure_names import Shown
    from recsysops.looking.show import ShowReport
    from recsysops.looking.status import Status
    from recsysops.profiles.measures import Measure
    from recsysops.tables.schema import Schema


class Looking(Opened):
    """The verbs that look."""

    def status(self) -> Status:
        """Where things stand: data, runs, open incidents, blind spots, alarm budget. Counts nothing."""
        from recsysops.incidents.detecting import utc_now
        from recsysops.looking.status import look_at_status

        with self.remembered() as state:
            return look_at_status(self.settings, self.root, self.state, state, now=utc_now())

    def show(
        self,
        measure: str,
        column: str | None = None,
        by: str | None = None,
        since: str = "14d",
        *,
        table: str | None = None,
        progress: Progress = SILENT,
    ) -> ShowReport:
        """The daily series of a measure with its reference band; counts what is not counted yet, judges nothing.

        Args:
            measure: e.g. ``missing_rate``, ``median``, ``exposure_share``; docs/looking.md lists them; or
                a rule of the workspace's own, ``concern.NAME`` or ``check.NAME``.
            column: a column or role, ``COLUMN=VALUE`` for one category or key; None for rows.
            by: a slice dimension.
            since: the first day, or so many days back from the last complete one (``"14d"``).
            table: where the column is; the first table that has it when None.
            progress: told of long work.

        Raises:
            ConfigError: for an unknown measure, column, table or slice, with the nearest name.
        """
        from recsysops.config.own_rules import is_own
        from recsysops.incidents.lock import workspace_lock
        from recsysops.looking.measure_names import shown
        from recsysops.looking.showing import count_and_show
        from recsysops.tables.open_tables import schema_of

        schema = schema_of(self.tables)
        if is_own(measure):
            wanted = self._rule(measure, column, table, schema)
        else:
            wanted = shown(measure, column, table, schema)
        with workspace_lock(self.location, "show"), self.remembered() as state:
            return count_and_show(
                wanted, by, since, self.settings, self.tables[wanted.table], state, self._counting(progress)
            )

    def items_report(self, owner: str | None = None, since: str = "14d", *, progress: Progress = SILENT) -> ItemsReport:
        """How each item fares: cold start, production bias, exposure, trend; "is it happening to mine?".

        Args:
            owner: only this owner's items; everybody's are still compared with.
            since: the first day, or so many days back from the last complete one.
            progress: told of long work.

        Raises:
            ConfigError: if no item has that owner.
            NotEnoughDataError: if nothing was shown in those days.
        """
        from recsysops.incidents.lock import workspace_lock
        from recsysops.looking.showing import report_items

        with workspace_lock(self.location, "items report"):
            return report_items(owner, since, self.settings, self.tables, self.state, self._counting(progress))

    def explain(self, finding_id: str, *, progress: Progress = SILENT) -> Explanation:
        """The arithmetic of a finding, recomputed from the stored history as of the last day it was seen.

        Args:
            finding_id: as ``detect`` gives it, e.g. ``f-0123456789ab``.
            progress: told of long work.

        Raises:
            ConfigError: if no such finding was ever kept.
        """
        from recsysops.incidents.lock import workspace_lock
        from recsysops.incidents.state import State
        from recsysops.looking.explain import explain, kept_finding

        with workspace_lock(self.location, "explain"), State(self.location, clock=self.settings.clock) as state:
            known = (name for incident in state.incidents() for name in incident.finding_ids)
            kept = kept_finding(state, finding_id, known)
            chosen = detectors_of(self)
            engine, _ = counted_by(self, self.tables, chosen.measures, progress)
            judge = judge_with(self, engine, chosen.detectors)
            return explain(kept, judge, self.settings, state)

    def _rule(self, name: str, column: str | None, table: str | None, schema: Schema) -> Shown:
        from recsysops.errors import ConfigError
        from recsysops.looking.rule_shown import rule_shown

        if column or table:
            found = f"{column or table!r} beside it"
            raise ConfigError(f"show {name}", found=found, expected="the rule alone, which names its table")
        return rule_shown(name, self.settings, schema, self.root)

    def _counting(self, progress: Progress) -> Callable[[Sequence[Measure]], Engine]:
        """Counts measures over all tables and gives the engine."""
        return lambda measures: counted_by(self, self.tables, measures, progress)[0]
