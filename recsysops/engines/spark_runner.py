"""`engine: spark`: the driver hands partitions to a cluster and stores the profiles that come back.

Every task is the counting that this process would do, so the counts are equal bit for bit. What Spark pickles for its own
transport is text, bytes and a reference to a function of ours; the data, and what a workspace holds, is never unpickled.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsysops import errors
from recsysops.engines.scan_task import ScanTask
from recsysops.engines.spark_worker import GroupWork
from recsysops.engines.task_codec import encode_task, encode_unit
from recsysops.errors import EngineError, RecSysOpsError
from recsysops.profiles.profile import Profile
from recsysops.profiles.profile_bytes import profile_from_bytes
from recsysops.tables.extras import needed

if TYPE_CHECKING:
    from pyspark import SparkContext

GROUPS_PER_CORE = 4
"""Groups of a wave for every core: even loads, and no more profiles in the driver's memory than one wave's."""
TASKS_PER_GROUP = 4
DEFAULTS = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}


class SparkRunner:
    """Does scan tasks on a Spark cluster. The cluster is asked for with the first task.

    Args:
        root: the workspace folder, under the same path on every worker, as are local files.
        master: ``spark://host:7077``, ``yarn``, ``local[4]`` …
        options: further Spark settings, such as ``spark.executor.memory``. Workers run this process's Python unless
            ``spark.pyspark.python`` (or ``PYSPARK_PYTHON``) names theirs; recsysops must be installed there.

    Raises:
        PluginError: if the extra ``spark`` is not installed.
    """

    def __init__(self, root: Path, master: str, options: Mapping[str, Any]) -> None:
        self._pyspark = needed("pyspark", "spark", "engine")
        self._root = root
        self._master = master
        self._options = {**DEFAULTS, **{name: str(value) for name, value in options.items()}}
        self._context: SparkContext | None = None
        self._is_own = True

    def __call__(self, tasks: Sequence[ScanTask]) -> Iterator[Profile | RecSysOpsError]:
        """Do the tasks of one unit, wave by wave.

        Raises:
            EngineError: if the cluster cannot be reached or gives up; what came back before is kept.
        """
        if not tasks:
            return
        with self._talking():
            context = self._connected()
            common = context.broadcast(encode_unit(tasks, self._root))
            n_groups = GROUPS_PER_CORE * max(1, context.defaultParallelism)
        size = n_groups * TASKS_PER_GROUP
        for first in range(0, len(tasks), size):
            texts = [encode_task(task) for task in tasks[first : first + size]]
            with self._talking():
                groups = context.parallelize(texts, min(n_groups, len(texts)))
                answers = groups.mapPartitions(GroupWork(common)).collect()
            yield from map(_answer, answers)
        with self._talking():
            common.destroy()

    def close(self) -> None:
        """Give the cluster back, unless somebody else in this process had it already."""
        if self._context is not None and self._is_own:
            self._context.stop()
        self._context = None

    def _connected(self) -> SparkContext:
        if self._context is None:
            settings = self._pyspark.SparkConf().setMaster(self._master).setAppName("recsysops")
            settings.setAll(list(self._options.items()))
            self._is_own = self._pyspark.SparkContext._active_spark_context is None
            self._context = self._pyspark.SparkContext.getOrCreate(settings)
            if "PYSPARK_PYTHON" not in os.environ:  # Spark would take any python3
                self._context.pythonExec = self._options.get("spark.pyspark.python", sys.executable)
        return self._context

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """Whatever Spark or the way to it raises, in one line."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        try:
            yield
        except (PySparkException, Py4JError, OSError, ValueError) as error:
            raise EngineError(
                f"Spark at {self._master}",
                found=_reason(str(error)),
                expected="a cluster that does the work",
                next_step="check engine.master, Java 17 on this machine, and recsysops on every worker",
            ) from error


def _reason(text: str) -> str:
    """The line of a Java or Python traceback that says what went wrong: Python's own, where a worker's is inside."""
    lines = [line.strip(": ") for line in text.splitlines() if line.strip(": ")]
    errors_told = [line for line in lines if re.match(r"[\w.$]*(Error|Exception): ", line + " ")]
    python = [line for line in errors_told if "." not in line.partition(":")[0]]
    java = [line for line in errors_told if not line.endswith("(most recent call last)")]
    return (python or java or lines or ["nothing"])[0][:300]


def _answer(answer: tuple[str, bytes]) -> Profile | RecSysOpsError:
    kind, content = answer
    if kind == "profile":
        return profile_from_bytes(content)
    if kind == "broken":
        raise RuntimeError(f"a task on a worker of Spark's failed:\n{content.decode()}")
    name, where, found, expected, next_step = json.loads(content)
    error: RecSysOpsError = getattr(errors, name)(where, found=found, expected=expected, next_step=next_step)
    return error
