"""The default engine: counts new and changed partitions in this process, one at a time, on all cores."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from recsysops.engines.catalogue_query import read_catalogue
from recsysops.engines.day_series import MAX_DAYS
from recsysops.engines.folded_history import FoldedHistory
from recsysops.engines.freezing import learn_sets, wanted_sets
from recsysops.engines.open_views import open_views
from recsysops.engines.partition_counts import open_connection
from recsysops.engines.planning import ScanUnit, can_be_counted, plan_units
from recsysops.engines.progress import SILENT, Progress
from recsysops.engines.scan_task import Runner, run_here
from recsysops.engines.unit_counting import UnitCounter, UnitCounts
from recsysops.engines.window_profiles import WindowProfiles
from recsysops.models.model_facts import ModelFacts
from recsysops.profiles.catalogue import Catalogue
from recsysops.profiles.frozen_sets import FrozenSet, read_frozen_sets, write_frozen_sets
from recsysops.profiles.history import Change, Context, PartitionFacts
from recsysops.profiles.measures import Cells, Facts, Measure
from recsysops.profiles.store import ProfileStore, StoredProfile
from recsysops.tables.schema import Schema
from recsysops.tables.shifted_days import shifted
from recsysops.tables.table import Table
from recsysops.tables.views.registered import VIEWS, with_views
from recsysops.tables.views.view import Folders
from recsysops.triage.findings import Skipped

if TYPE_CHECKING:
    import duckdb

BUCKET_DAYS = 35
EVENT_TABLES = ("candidates", "outcomes")
"""Tables in which a day without rows is a day on which nothing was logged; the others have rows when they were taken."""


@dataclass(frozen=True)
class ProfilingSummary:
    """What one call of `Engine.profile` did."""

    n_partitions_read: int
    n_rows_read: int
    n_partitions_known: int
    vanished: tuple[str, ...]
    """Partitions whose files are gone; their counts remain history."""
    skipped: tuple[Skipped, ...]
    """Partitions that could not be read, with the reason."""


@dataclass(frozen=True)
class _Pass:
    """What counting some units came to."""

    done: tuple[StoredProfile, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    vanished: tuple[str, ...] = ()

    def with_unit(self, more: UnitCounts) -> _Pass:
        """These and those of one more unit."""
        return _Pass((*self.done, *more.done), (*self.skipped, *more.skipped), (*self.vanished, *more.vanished))


class Engine:
    """Counts the tables of one workspace and folds what has been counted.

    Args:
        tables: opened tables by name.
        state: the workspace's state folder; profiles and frozen sets are kept below it.
        progress: told of long work.
        n_threads: cores to use; all by default.
        runner: who counts partitions; this process by default.
        folders: where model files may lie; without it nothing is scored again.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        state: Path,
        *,
        progress: Progress = SILENT,
        n_threads: int | None = None,
        n_reference_days: int = 28,
        runner: Runner | None = None,
        folders: Folders | None = None,
    ) -> None:
        self._own = dict(tables)
        self._tables: Mapping[str, Table] = self._own
        self._n_threads = n_threads
        self._state = state
        self._progress = progress
        self._folders = folders
        self._bucket_days = max(BUCKET_DAYS, n_reference_days + 7)
        self._store = ProfileStore(state / "profiles")
        self._counter = UnitCounter(state, self._store, runner or run_here(state, n_threads), progress)
        self._units: list[ScanUnit] = []
        self._live: dict[str, tuple[StoredProfile, ...]] = {}
        self._fresh: set[Path] = set()

    def profile(self, measures: Sequence[Measure]) -> ProfilingSummary:
        """Count what has not been counted yet; a partition that cannot be read is skipped with its reason.

        Raises:
            StateError: if the workspace's own files are damaged.
        """
        wanted = dict.fromkeys([*measures, *(Facts(name) for name in self._own)])
        self._sweep()
        self._fresh.clear()
        self._tables, self._units = self._own, []
        own = self._count([measure for measure in wanted if measure.table in self._own], self._own)
        views = open_views(wanted, self._own, self._facts(), self._connect, self._folders)
        self._tables = {**self._own, **views}
        derived = self._count([measure for measure in wanted if measure.table in views], views)
        self._collapse()
        return ProfilingSummary(
            n_partitions_read=len(own.done),
            n_rows_read=sum(one.facts.n_rows for one in own.done if one.facts.table in self._own),
            n_partitions_known=sum(len(live) for live in self._live.values()),
            vanished=(*own.vanished, *derived.vanished),
            skipped=(*own.skipped, *derived.skipped),
        )

    def _count(self, measures: Sequence[Measure], tables: Mapping[str, Table]) -> _Pass:
        """Count measures of some of the tables; views come after the tables that they are made of."""
        countable = [measure for measure in measures if can_be_counted(measure, self._tables)]
        sets = self._freeze(countable, tables)
        units = plan_units(countable, self._tables, sets)
        self._units = [*self._units, *units]
        found = _Pass()
        for unit in units:
            facts = self._facts() if unit.lookup is not None else {}
            counts = self._counter.count(unit, sets.get(unit.table.name, {}), facts)
            self._live[unit.name] = counts.live
            self._fresh.update(one.path for one in counts.done)
            found = found.with_unit(counts)
        return found

    def _sweep(self) -> None:
        """Remove what a killed run left half-written."""
        self._store.sweep()
        for path in (*self._state.glob("frozen/.*.json"), *self._state.glob("manifests/.*.json")):
            path.unlink(missing_ok=True)

    def event_days(self, table: str) -> Mapping[date, int]:
        """Rows by event day, over every live partition."""
        days: dict[date, int] = {}
        for facts in self._facts().get(table, ()):
            for day, n_rows in facts.days:
                days[day] = days.get(day, 0) + n_rows
        return dict(sorted(days.items()))

    def history(
        self,
        reference_days: Sequence[date],
        current_days: Sequence[date],
        *,
        now: datetime,
        changes: Sequence[Change] = (),
        incident_days: Collection[date] = (),
        models: Sequence[ModelFacts] = (),
        since: date | None = None,
    ) -> FoldedHistory:
        """The two windows of one judgement; series begin on ``since`` at the earliest."""
        context = Context(
            now=now,
            mode="days",
            reference_days=tuple(reference_days),
            current_days=tuple(current_days),
            schema=with_views(Schema({name: table.schema for name, table in self._own.items()})),
            changes=tuple(sorted((one for one in changes if one.ts <= now), key=lambda one: one.ts)),
            catalogue=self.catalogue(max(current_days)) if current_days else Catalogue(),
            models=tuple(one for one in models if one.trained_at is None or one.trained_at <= now),
            incident_days=frozenset(incident_days),
        )
        past = lambda: self.window(self._days_up_to(max(current_days), since))  # noqa: E731
        return FoldedHistory(
            context, self.window(reference_days), self.window(current_days), past if current_days else None
        )

    def catalogue(self, day: date) -> Catalogue:
        """Launches near a day as known at its end; empty without a table of items that have them."""
        facts = {name: {one.key: one.days for one in found} for name, found in self._facts().items()}
        return read_catalogue(self._own, lambda name: facts.get(name, {}), day, self._connect)

    def _connect(self) -> duckdb.DuckDBPyConnection:
        return open_connection(self._state, self._n_threads)

    def _days_up_to(self, last: date, since: date | None = None) -> tuple[date, ...]:
        """Consecutive days that end with ``last``, from the first with rows on, at most ``MAX_DAYS``."""
        present = [day for name in EVENT_TABLES for day in self.event_days(name) if day <= last]
        first = max(min(present, default=last), shifted(last, 1 - MAX_DAYS), since or date.min)
        return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))

    def window(self, days: Sequence[date]) -> WindowProfiles:
        """The profiles of some days, ready to be folded."""
        by_table = {name: self._days_of(name, days) for name in self._tables}
        wanted = set(days)
        profiles: dict[str, list[StoredProfile]] = {}
        for unit in self._units:
            chosen = [one for one in self._live.get(unit.name, ()) if any(day in wanted for day, _ in one.facts.days)]
            profiles.setdefault(unit.table.name, []).extend(chosen)
        counted = {one.measure: one for unit in self._units for one in unit.measures}
        return WindowProfiles(
            by_table, {name: tuple(found) for name, found in profiles.items()}, counted, self._facts()
        )

    def _days_of(self, table: str, days: Sequence[date]) -> tuple[date, ...]:
        if table in EVENT_TABLES or table in VIEWS:
            return tuple(days)
        present = self.event_days(table)
        return tuple(day for day in days if day in present)

    def _facts(self) -> dict[str, tuple[PartitionFacts, ...]]:
        facts: dict[str, dict[str, PartitionFacts]] = {}
        for name in self._tables:
            facts[name] = {one.facts.key: one.facts for one in self._live.get(name, ())}
        return {name: tuple(found[key] for key in sorted(found)) for name, found in facts.items()}

    def _freeze(self, measures: Sequence[Measure], tables: Mapping[str, Table]) -> dict[str, dict[str, FrozenSet]]:
        sets: dict[str, dict[str, FrozenSet]] = {}
        for name, table in tables.items():
            path = self._state / "frozen" / f"{name}.json"
            known = read_frozen_sets(path)
            own = [one for one in measures if isinstance(one, Cells) and one.table == name]
            is_counted = table.schema.role(table.contract.clock) is not None
            wanted = wanted_sets(table, own) if is_counted else {}
            missing = {one: measure for one, measure in wanted.items() if one not in known}
            learnt = learn_sets(table, missing, self._progress) if missing else {}
            if learnt:
                known |= learnt
                write_frozen_sets(known, path)
            sets[name] = known
        return sets

    def _collapse(self) -> None:
        """Forget buckets of days that can no longer be reference, but for those just counted: a first run judges them all."""
        for profiles in self._live.values():
            newest = max((day for one in profiles if (day := _last_day(one.facts)) is not None), default=None)
            if newest is None:
                continue
            first = newest - timedelta(days=self._bucket_days)
            old = (one for one in profiles if one.path not in self._fresh)
            self._store.drop_buckets(one for one in old if all(day < first for day, _ in one.facts.days))


def _last_day(facts: PartitionFacts) -> date | None:
    """The last event day that can be true: rows from after their file was written have a wrong clock."""
    written = facts.modified_at.date() + timedelta(days=1)
    return max((min(day, written) for day, _ in facts.days), default=None)


def cohort_history(
    reference: Engine, current: Engine, *, now: datetime, changes: Sequence[Change] = ()
) -> FoldedHistory:
    """`compare`: the days of one cohort against the days of another, from two engines on filtered tables."""
    days = {
        name: tuple(engine.event_days("candidates"))
        for name, engine in (("reference", reference), ("current", current))
    }
    context = Context(
        now=now,
        mode="cohorts",
        reference_days=days["reference"],
        current_days=days["current"],
        schema=reference.history((), (), now=now).context.schema,
        changes=tuple(changes),
    )
    return FoldedHistory(context, reference.window(days["reference"]), current.window(days["current"]))
