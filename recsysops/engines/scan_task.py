"""One partition's counting as a value: everything that it needs, wherever it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recsysops.engines.cohort_counts import count_cohorts
from recsysops.engines.partition_counts import count_partition, open_connection
from recsysops.engines.planning import ScanUnit
from recsysops.errors import RecSysOpsError
from recsysops.profiles.frozen_sets import FrozenSet
from recsysops.profiles.history import PartitionFacts
from recsysops.profiles.profile import Profile
from recsysops.tables.source import Partition


@dataclass(frozen=True)
class ScanTask:
    """A partition and the measures to count on it.

    ``unit.measures`` are those that are missing; ``sets`` are the frozen sets of the unit's table. Cohorts have the facts
    of their partition, under the joint fingerprint, and the partitions that they look up.
    """

    unit: ScanUnit
    partition: Partition
    sets: Mapping[str, FrozenSet]
    outcomes: PartitionFacts | None = None
    lookups: tuple[Partition, ...] = ()


Runner = Callable[[Sequence[ScanTask]], Iterator[Profile | RecSysOpsError]]
"""Does tasks; yields one answer for each, in any order: the counts, or why the partition could not be counted."""


def run_task(task: ScanTask, state: Path, n_threads: int | None) -> Profile:
    """Count one partition.

    Args:
        task: what is counted.
        state: a folder to spill to.
        n_threads: cores to use; None for all.

    Raises:
        SourceError, SchemaError: if the partition cannot be read or counted.
    """
    unit = task.unit
    connect = lambda: open_connection(state, n_threads)  # noqa: E731
    if task.outcomes is None:
        return count_partition(unit, task.partition, unit.measures, task.sets, connect, n_threads)
    return count_cohorts(unit, task.outcomes, task.partition, task.lookups, unit.measures, connect)


def run_here(state: Path, n_threads: int | None) -> Runner:
    """A runner that does the tasks in this process, one at a time."""

    def run(tasks: Sequence[ScanTask]) -> Iterator[Profile | RecSysOpsError]:
        for task in tasks:
            try:
                yield run_task(task, state, n_threads)
            except RecSysOpsError as error:
                yield error

    return run
