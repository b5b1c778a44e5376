"""Counting one unit: which of its partitions are new or changed, who counts them, and what stands of it afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recsysops.engines.cohort_counts import joint_fingerprint, looked_up
from recsysops.engines.planning import ScanUnit
from recsysops.engines.progress import Progress
from recsysops.engines.scan_task import Runner, ScanTask
from recsysops.errors import RecSysOpsError
from recsysops.profiles.frozen_sets import FrozenSet
from recsysops.profiles.history import PartitionFacts
from recsysops.profiles.manifest import Manifest, read_manifest, write_manifest
from recsysops.profiles.store import ProfileStore, StoredProfile
from recsysops.tables.source import Partition
from recsysops.triage.findings import Skipped

KnownFacts = Mapping[str, tuple[PartitionFacts, ...]]
"""Facts of the live partitions, by table."""


@dataclass(frozen=True)
class _Expected:
    """A partition with the fingerprint its profile must have; for cohorts it covers the partitions looked up."""

    partition: Partition
    fingerprint: str
    lookups: tuple[PartitionFacts, ...] = ()


@dataclass(frozen=True)
class UnitCounts:
    """What counting a unit came to."""

    done: tuple[StoredProfile, ...]
    """Counted just now."""
    skipped: tuple[Skipped, ...]
    vanished: tuple[str, ...]
    live: tuple[StoredProfile, ...]
    """The profiles that make up its history, in order of partition key."""


class UnitCounter:
    """Counts units of one workspace and keeps their profiles and manifests.

    Args:
        state: the workspace's state folder.
        store: its profiles.
        runner: who counts partitions.
        progress: told of long work.
    """

    def __init__(self, state: Path, store: ProfileStore, runner: Runner, progress: Progress) -> None:
        self._state = state
        self._store = store
        self._run = runner
        self._progress = progress

    def count(self, unit: ScanUnit, sets: Mapping[str, FrozenSet], facts: KnownFacts) -> UnitCounts:
        """Count a unit's new and changed partitions, and note which partitions there are.

        Args:
            unit: measures of one table.
            sets: its frozen sets.
            facts: of the partitions known by now, by table; for a unit that looks rows up in another table.

        Raises:
            StateError: if the workspace's own files are damaged.
        """
        stored = self._store.of_table(unit.name)
        partitions = unit.table.partitions()
        expected = [one for partition in partitions if (one := _expect(unit, partition, facts)) is not None]
        todo = [(one, missing) for one in expected if (missing := _uncounted(unit, one, stored))]
        done, skipped = self._read(unit, todo, sets, facts)
        manifest = self._note(unit, partitions, expected, (*stored, *done))
        live = _live_profiles(unit, manifest, (*stored, *done))
        self._store.forget(_superseded(unit, manifest, stored))
        vanished = tuple(f"{unit.name}: {one.key}" for one in manifest.vanished)
        return UnitCounts(tuple(done), tuple(skipped), vanished, live)

    def _read(
        self,
        unit: ScanUnit,
        todo: Sequence[tuple[_Expected, frozenset[str]]],
        sets: Mapping[str, FrozenSet],
        facts: KnownFacts,
    ) -> tuple[list[StoredProfile], list[Skipped]]:
        """Count what is missing, with its measures, and keep it; what cannot be read is skipped with its reason."""
        done: list[StoredProfile] = []
        skipped: list[Skipped] = []
        if todo:
            self._progress.start(f"counting {unit.name}", len(todo))
        for counted in self._run(_tasks(unit, todo, sets, facts)):
            if isinstance(counted, RecSysOpsError):
                skipped.append(Skipped("engine", "failed", str(counted), table=unit.table.name))
            else:
                done.append(self._store.write(counted))
            self._progress.advance()
        if todo:
            self._progress.finish()
        return done, skipped

    def _note(
        self,
        unit: ScanUnit,
        partitions: Sequence[Partition],
        expected: Sequence[_Expected],
        stored: Sequence[StoredProfile],
    ) -> Manifest:
        path = self._state / "manifests" / f"{unit.name}-{unit.table.binding[:12]}.json"
        wanted = {(one.partition.key, one.fingerprint) for one in expected}
        present = {one.facts.key: one.facts for one in stored if (one.facts.key, one.facts.fingerprint) in wanted}
        unreadable = {partition.key for partition in partitions}.difference(present)
        before = read_manifest(path)
        after = before.after(present.values(), unreadable)
        if after.known == before.known:
            return before
        write_manifest(after, path)
        return after


def _expect(unit: ScanUnit, partition: Partition, facts: KnownFacts) -> _Expected | None:
    if unit.lookup is None:
        return _Expected(partition, partition.fingerprint)
    own = {one.key: one for one in facts.get(unit.table.name, ())}
    if partition.key not in own:
        return None  # it could not be read, which has been said already
    candidates = facts.get(unit.lookup.name, ())
    lookups = looked_up(own[partition.key], candidates, unit.table.schema.label_window_days)
    return _Expected(partition, joint_fingerprint(partition.fingerprint, lookups), lookups)


def _tasks(
    unit: ScanUnit,
    todo: Sequence[tuple[_Expected, frozenset[str]]],
    sets: Mapping[str, FrozenSet],
    facts: KnownFacts,
) -> list[ScanTask]:
    own = {one.key: one for one in facts.get(unit.table.name, ())}
    others = {one.key: one for one in unit.lookup.partitions()} if unit.lookup is not None and todo else {}
    tasks = []
    for one, missing in todo:
        wanted = replace(unit, measures=tuple(counted for counted in unit.measures if counted.id in missing))
        task = ScanTask(wanted, one.partition, sets)
        if unit.lookup is not None:
            outcomes = replace(own[one.partition.key], fingerprint=one.fingerprint)
            lookups = tuple(others[known.key] for known in one.lookups if known.key in others)
            task = replace(task, outcomes=outcomes, lookups=lookups)
        tasks.append(task)
    return tasks


def _uncounted(unit: ScanUnit, expected: _Expected, stored: Sequence[StoredProfile]) -> frozenset[str]:
    """Ids of the measures that have not been counted on these bytes."""
    address = (expected.partition.key, expected.fingerprint)
    known = [one.measure_ids for one in stored if (one.facts.key, one.facts.fingerprint) == address]
    return frozenset(one.id for one in unit.measures).difference(*known)


def _live_profiles(unit: ScanUnit, manifest: Manifest, stored: Sequence[StoredProfile]) -> tuple[StoredProfile, ...]:
    """The profiles that make up the history of a unit, in order of partition key."""
    wanted = {(one.key, one.fingerprint) for one in manifest.live}
    ids = frozenset(one.id for one in unit.measures)
    live = [one for one in stored if (one.facts.key, one.facts.fingerprint) in wanted and one.measure_ids & ids]
    return tuple(sorted(live, key=lambda one: (one.facts.key, one.path)))


def _superseded(unit: ScanUnit, manifest: Manifest, stored: Sequence[StoredProfile]) -> tuple[StoredProfile, ...]:
    """Profiles of this unit's measures over bytes that have been rewritten since."""
    ids = frozenset(one.id for one in unit.measures)
    current = {key: entry.fingerprint for key, entry in manifest.known.items()}
    return tuple(
        one
        for one in stored
        if one.measure_ids & ids and current.get(one.facts.key, one.facts.fingerprint) != one.facts.fingerprint
    )
