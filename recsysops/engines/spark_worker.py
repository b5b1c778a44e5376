"""What a Spark worker does: tasks as text in, profiles as bytes out. Nothing is pickled but text and bytes."""

from __future__ import annotations

import json
import tempfile
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from recsysops.engines.partition_counts import open_connection
from recsysops.engines.scan_task import run_task
from recsysops.engines.task_codec import SharedUnit
from recsysops.errors import RecSysOpsError
from recsysops.profiles.profile_bytes import profile_to_bytes

if TYPE_CHECKING:
    from pyspark import Broadcast

N_THREADS = 1
"""Spark runs one task per core."""
Outcome = Literal["profile", "refused", "broken"]


@dataclass(frozen=True)
class GroupWork:
    """The function that Spark carries to its workers. ``common`` is the broadcast text of `encode_unit`."""

    common: Broadcast[str]

    def __call__(self, texts: Iterable[str]) -> Iterator[tuple[Outcome, bytes]]:
        """One answer for each task of a group, in order."""
        unit = _shared(self.common.value)
        for text in texts:
            with tempfile.TemporaryDirectory(prefix="recsysops-") as folder:
                yield work(unit, text, Path(folder))


def work(unit: SharedUnit, text: str, spill: Path) -> tuple[Outcome, bytes]:
    """Do one task.

    Returns:
        "profile" and its bytes; "refused" and the fields of a RecSysOpsError as JSON; "broken" and the traceback of
        anything else, which is an error of ours and no reason for Spark to try again.
    """
    try:
        task = unit.task(text, lambda: open_connection(spill, N_THREADS))
        return "profile", profile_to_bytes(run_task(task, spill, N_THREADS))
    except RecSysOpsError as error:
        told = [type(error).__name__, error.where, error.found, error.expected, error.next_step]
        return "refused", json.dumps(told).encode()
    except Exception:
        return "broken", traceback.format_exc().encode()


@lru_cache(maxsize=4)
def _shared(text: str) -> SharedUnit:
    """Decoded once per process: Spark keeps its Python workers for many groups."""
    return SharedUnit(text)
