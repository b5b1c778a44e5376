"""A workspace from Python: the command line's equal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from recsysops.engines.progress import SILENT, Progress

if TYPE_CHECKING:
    from recsysops.config.settings import WorkspaceSettings
    from recsysops.engines.in_process import Engine, ProfilingSummary
    from recsysops.incidents.desk import Desk
    from recsysops.incidents.detecting import Request
    from recsysops.incidents.judging import Judge
    from recsysops.incidents.location import StateLocation
    from recsysops.incidents.state import State
    from recsysops.inspection.report import CheckReport
    from recsysops.looking.explain import Explanation
    from recsysops.looking.items import ItemsReport
    from recsysops.looking.show import ShowReport
    from recsysops.looking.status import Status
    from recsysops.models.model_facts import ModelFacts
    from recsysops.profiles.history import Change
    from recsysops.profiles.measures import Measure
    from recsysops.reporting.compare_report import CompareReport
    from recsysops.reporting.detect_report import DetectReport
    from recsysops.reporting.peers_view import PeersReport
    from recsysops.reporting.replay_report import ReplayReport
    from recsysops.reporting.shelf import Listed
    from recsysops.tables.changes import ChangeRecord
    from recsysops.tables.snapshots import SnapshotResult
    from recsysops.tables.table import Table
    from recsysops.triage.detector import Detector, Tier
    from recsysops.triage.findings import Severity
    from recsysops.triage.loading import Loaded

UPSTREAM = ("items", "availability", "item_features", "member_features")
CHANGES = "changes.jsonl"
SNAPSHOTS = "snapshots"


@dataclass(frozen=True)
class Workspace:
    """A folder with ``recsysops.yaml``.

    Args:
        path: the folder, or None for the nearest one upward from here.
        env: environment whose settings go on top.
        brand: brand whose settings go on top.

    Every method raises the errors of ``recsysops.errors``; the messages say what to do next.
    """

    path: Path | str | None = None
    env: str | None = None
    brand: str | None = None

    @cached_property
    def root(self) -> Path:
        """The folder that holds ``recsysops.yaml``."""
        from recsysops.config.load import find_workspace

        return find_workspace(Path.cwd()) if self.path is None else Path(self.path)

    @cached_property
    def settings(self) -> WorkspaceSettings:
        """What ``recsysops.yaml`` says."""
        from recsysops.config.load import FILE_NAME, load_settings

        return load_settings(self.root / FILE_NAME, env=self.env, brand=self.brand, environ=os.environ)

    @property
    def state(self) -> Path:
        """The folder of profiles, state database and lock."""
        return self.root / self.settings.state.folder

    @property
    def location(self) -> StateLocation:
        """Where the state is: the folder, and the database in it or on a server."""
        from recsysops.incidents.location import state_location

        return state_location(self.settings, self.root)

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The opened tables, by name."""
        from recsysops.tables.open_tables import open_tables

        return open_tables(self.settings, self.root)

    def check(self) -> CheckReport:
        """Whether configuration and data are sound, and which capabilities are on."""
        from recsysops.inspection.check import check_workspace

        return check_workspace(self.settings, self.root)

    def detectors(self) -> tuple[Listed, ...]:
        """Every installed detector, then the workspace's own rules."""
        from recsysops.config.own_rules import nearest_workspace, own_rules
        from recsysops.reporting.shelf import listed

        root = nearest_workspace(Path(self.path) if self.path is not None else None)
        return listed("detectors", own_rules(root, env=self.env, brand=self.brand) if root is not None else ())

    def detect(
        self,
        date: str | None = None,
        since: str | None = None,
        reference: str | None = None,
        *,
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
        fail_on: Severity | None = None,
        progress: Progress = SILENT,
        tier: Tier = "daily",
    ) -> DetectReport:
        """Judge days, or hours, and keep what was found.

        Args:
            date: judge this day, again if need be.
            since: judge again from this day on, or from so many days back (``"90d"``).
            reference: fixed days to compare with: ``"2026-11-01..2026-11-14"``, or days joined by commas.
            only: names or globs of detectors; nothing is kept then.
            skip: names or globs of detectors to leave out; nothing is kept then.
            fail_on: least severity that makes ``exit_code`` 1.
            progress: told of long work.
            tier: ``fast`` judges hours, by the detectors that can.

        Returns:
            what was judged and found; without ``date`` and ``since`` every complete day not yet judged, or every
            complete hour of the newest 48 that is new or has got rows since.
        """
        from recsysops.incidents.detecting import Request

        return self._detect(Request(date, since, reference, tier), only, skip, fail_on, progress)

    def compare(
        self,
        reference: str,
        current: str,
        *,
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
        fail_on: Severity | None = None,
        progress: Progress = SILENT,
    ) -> CompareReport:
        """Run the same judges between two cohorts, and contrast their exposure and outcomes.

        Args:
            reference: ``"model_id=a"``; more conditions joined by commas.
            current: the same for the other cohort.
            only, skip, fail_on, progress: as for ``detect``.
        """
        return self._compare((reference, current), only, skip, fail_on, progress)

    def status(self) -> Status:
        """Where things stand: data, runs, open incidents, blind spots, alarm budget. Counts nothing."""
        from recsysops.incidents.detecting import utc_now
        from recsysops.looking.status import look_at_status

        with self._remembered() as state:
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
            measure: e.g. ``missing_rate``, ``median``, ``exposure_share``; docs/looking.md lists them.
            column: a column or role, ``COLUMN=VALUE`` for one category or key; None for rows.
            by: a slice dimension.
            since: the first day, or so many days back from the last complete one (``"14d"``).
            table: where the column is; the first table that has it when None.
            progress: told of long work.

        Raises:
            ConfigError: for an unknown measure, column, table or slice, with the nearest name.
        """
        from recsysops.incidents.lock import workspace_lock
        from recsysops.looking.measure_names import shown
        from recsysops.looking.showing import count_and_show
        from recsysops.tables.open_tables import schema_of

        wanted = shown(measure, column, table, schema_of(self.tables))
        with workspace_lock(self.location, "show"), self._remembered() as state:
            count = lambda measures: self._counted(self.tables, measures, progress)[0]  # noqa: E731
            return count_and_show(wanted, by, since, self.settings, self.tables[wanted.table], state, count)

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
            count = lambda measures: self._counted(self.tables, measures, progress)[0]  # noqa: E731
            return report_items(owner, since, self.settings, self.tables, self.state, count)

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
            chosen = self._detectors((), ())
            engine, _ = self._counted(self.tables, chosen.measures, progress)
            judge = self._judge_with(engine, chosen.detectors)
            return explain(kept, judge, self.settings, state)

    def desk(self, who: str = "") -> Desk:
        """The desk at which incidents are worked on: list, show, acknowledge, hand off, resolve, look back …

        Args:
            who: stands in the audit trail; ``RECSYSOPS_USER`` or the login's name when empty.
        """
        from recsysops.incidents.desk import Desk, who_acts

        return Desk(
            self.settings, self.root, self.location, lambda: self.tables, self._judge, who.strip() or who_acts()
        )

    def replay(self, day: str | None = None, n_requests: int | None = 200) -> ReplayReport:
        """Score logged requests of a day again, and find the first stage that differs.

        Args:
            day: a day of UTC; the newest of the log when None.
            n_requests: how many, chosen by their hash; all when None.
        """
        from recsysops.incidents.day_words import parse_day
        from recsysops.replay.day import newest_day, replay_day
        from recsysops.reporting.replay_report import ReplayReport

        tables = self.tables
        chosen = newest_day(tables["candidates"]) if day is None else parse_day(day, "--day")
        trusted = [Path(folder) for folder in self.settings.model_folders]
        found = replay_day(tables, self.root, chosen, n_requests, trusted=trusted)
        return ReplayReport(self.settings.name, chosen, found)

    def peers(self, item: str, day: str | None = None, k: int = 50, *, without: Sequence[str] = ()) -> PeersReport:
        """Items that an item can be compared with, by what was known of them before anything was shown.

        Args:
            item: its id.
            day: as known at the end of this day of UTC; the newest of the log when None.
            k: how many at most.
            without: attributes not to compare by.
        """
        from recsysops.incidents.calendar import end_of
        from recsysops.incidents.day_words import parse_day
        from recsysops.replay.day import newest_day
        from recsysops.reporting.peers_view import report_peers

        tables = self.tables
        chosen = newest_day(tables["candidates"]) if day is None else parse_day(day, "--day")
        return report_peers(tables, item, end_of(chosen), k, without)

    def snapshot(self, as_of: datetime | None = None) -> tuple[SnapshotResult, ...]:
        """Keep what changed in the upstream tables since the last snapshot.

        Args:
            as_of: the moment the tables' content was true; now when None.

        Raises:
            ConfigError: if the workspace has no upstream table.
        """
        from recsysops.errors import ConfigError
        from recsysops.incidents.lock import workspace_lock
        from recsysops.tables.snapshots import take_snapshot

        names = [name for name in UPSTREAM if name in self.tables]
        if not names:
            raise ConfigError("snapshot", found="no upstream table", expected=f"one of {', '.join(UPSTREAM)}")
        moment = as_of or datetime.now(UTC)
        with workspace_lock(self.location, "snapshot"):
            return tuple(take_snapshot(self.tables[name], self.state / SNAPSHOTS / name, moment) for name in names)

    def record_change(
        self,
        kind: str,
        scope: str = "",
        *,
        rollout: float | None = None,
        at: datetime | None = None,
        description: str = "",
    ) -> ChangeRecord:
        """Note a deploy, configuration, schema or experiment event.

        Args:
            kind: deploy, config, schema, launch, experiment …
            scope: what it touched, e.g. ``candidates.score``.
            rollout: share of traffic it reached, in [0, 1].
            at: when it took effect, with a zone; now when None.
            description: for people.
        """
        from recsysops.tables.changes import ChangeRecord, record_change

        change = ChangeRecord(at or datetime.now(UTC), kind, scope, description, rollout)
        record_change(self.state / CHANGES, change)
        return change

    def _detect(
        self, request: Request, only: Sequence[str], skip: Sequence[str], fail_on: Severity | None, progress: Progress
    ) -> DetectReport:
        from recsysops.engines.hour_history import hourly
        from recsysops.incidents.detecting import detect, utc_now
        from recsysops.incidents.detecting_hours import detect_hours
        from recsysops.incidents.lock import workspace_lock
        from recsysops.incidents.state import State
        from recsysops.looking.last_run import LastRun, write_last_run
        from recsysops.reporting.detect_report import detect_report

        started = time.monotonic()
        settings, tier = self.settings, request.tier
        is_kept = not (only or skip)  # a day judged by some of the detectors must not pass for a judged day
        with ExitStack() as held:
            held.enter_context(workspace_lock(self.location, "detect"))
            state = held.enter_context(
                State(self.location, clock=settings.clock) if is_kept else State.scratch(self.location)
            )
            chosen = self._detectors(only, skip, tier)
            measures = chosen.measures if tier == "daily" else list(hourly(chosen.measures))
            engine, counted = self._counted(self.tables, measures, progress)
            judge = self._judge_with(engine, chosen.detectors)
            judging = detect_hours if tier == "fast" else detect
            detection = judging(request, judge, settings, state, now=utc_now(), progress=progress)
        report = detect_report(
            detection,
            workspace=settings.name,
            could_not=(*chosen.skipped, *counted.skipped, *detection.could_not),
            n_detectors=len(chosen.detectors) + len(chosen.skipped),
            fail_on=fail_on or settings.detect.fail_on,
            n_rows_read=counted.n_rows_read,
            seconds=time.monotonic() - started,
            is_kept=is_kept,
            tier=tier,
        )
        if is_kept and report.days and tier == "daily":
            note = LastRun(report.days[-1], report.n_detectors, report.skipped, report.exit_code)
            write_last_run(self.state, note)
        return report

    def _compare(
        self,
        words: tuple[str, str],
        only: Sequence[str],
        skip: Sequence[str],
        fail_on: Severity | None,
        progress: Progress,
    ) -> CompareReport:
        from recsysops.engines.cohorts import open_cohort, parse_conditions
        from recsysops.errors import ConfigError
        from recsysops.incidents.comparing import compare
        from recsysops.incidents.lock import workspace_lock
        from recsysops.reporting.compare_report import compare_report

        started = time.monotonic()
        settings = self.settings
        conditions = (parse_conditions(words[0], "--reference"), parse_conditions(words[1], "--current"))
        if set(conditions[0]) == set(conditions[1]):
            raise ConfigError(
                "--reference and --current", found=f"{words[1]!r} twice", expected="two different cohorts"
            )
        with ExitStack() as held:
            held.enter_context(workspace_lock(self.location, "compare"))
            tables = self.tables
            chosen = self._detectors(only, skip)
            cohorts = [held.enter_context(open_cohort(tables, one, self.state)) for one in conditions]
            counted = [self._counted(cohort.tables, chosen.measures, progress) for cohort in cohorts]
            comparison = compare(cohorts, [engine for engine, _ in counted], chosen.detectors, settings, tables)
        return compare_report(
            comparison,
            could_not=(*chosen.skipped, *(one for _, summary in counted for one in summary.skipped)),
            n_detectors=len(chosen.detectors) + len(chosen.skipped),
            fail_on=fail_on or settings.detect.fail_on,
            seconds=time.monotonic() - started,
        )

    def _detectors(self, only: Sequence[str], skip: Sequence[str], tier: Tier = "daily") -> Loaded:
        from recsysops.incidents.standing_detectors import standing_detectors
        from recsysops.tables.open_tables import schema_of
        from recsysops.tables.views.registered import with_views
        from recsysops.triage.declared import declared_detectors
        from recsysops.triage.loading import load_detectors

        settings = self.settings
        schema = with_views(schema_of(self.tables))
        declared = declared_detectors(settings, schema, self.root)
        declared += standing_detectors(self.root, settings.detectors, declared)
        skip = (*settings.skip, *skip)
        loaded = load_detectors(settings.detectors, only=only, skip=skip, declared=declared)
        return loaded.of_tier(tier).asking(schema)

    def _counted(
        self, tables: Mapping[str, Table], measures: Sequence[Measure], progress: Progress
    ) -> tuple[Engine, ProfilingSummary]:
        """An engine that has counted what is new or changed."""
        from recsysops.engines.choose import counting_with
        from recsysops.engines.in_process import Engine
        from recsysops.tables.views.view import Folders

        days = self.settings.detect.reference_days
        with counting_with(self.settings.engine, self.root) as runner:
            folders = Folders(self.root, tuple(Path(folder) for folder in self.settings.model_folders))
            engine = Engine(
                tables, self.state, progress=progress, n_reference_days=days, runner=runner, folders=folders
            )
            return engine, engine.profile(measures)

    @contextmanager
    def _remembered(self) -> Iterator[State | None]:
        """The state, or None when nothing was ever run here; nothing is made by looking."""
        from recsysops.incidents.sqlite_database import file_of
        from recsysops.incidents.state import State

        if not self.location.is_server and not file_of(self.location.folder).exists():
            yield None
            return
        with State(self.location, clock=self.settings.clock) as state:
            yield state

    def _judge(self) -> Judge:
        """All detectors, over everything that can be counted."""
        from recsysops.incidents.lock import workspace_lock

        with workspace_lock(self.location, "incident"):
            chosen = self._detectors((), ())
            engine, _ = self._counted(self.tables, chosen.measures, SILENT)
            return self._judge_with(engine, chosen.detectors)

    def _judge_with(self, engine: Engine, detectors: Sequence[Detector]) -> Judge:
        """Who judges the days of this workspace."""
        from recsysops.config.lineage import column_lineage
        from recsysops.incidents.judging import Judge

        settings = self.settings
        lineage = column_lineage(settings)
        return Judge(
            engine,
            detectors,
            tuple(self.tables),
            settings.budget,
            changes=self._changes(),
            lineage=lineage,
            models=self._models(),
        )

    def _models(self) -> tuple[ModelFacts, ...]:
        """What is known of the registered models."""
        from recsysops.models.model_facts import model_facts

        return model_facts(self.tables["models"], self.root) if "models" in self.tables else ()

    def _changes(self) -> tuple[Change, ...]:
        """What was recorded with ``recsysops change record``, and what the table ``changes`` holds."""
        from recsysops.profiles.history import Change
        from recsysops.tables.change_rows import change_rows
        from recsysops.tables.changes import read_changes

        exported = change_rows(self.tables["changes"]) if "changes" in self.tables else ()
        known = (*exported, *read_changes(self.state / CHANGES).changes)
        return tuple(Change(one.ts, one.kind, one.scope, one.description, one.rollout) for one in known)
