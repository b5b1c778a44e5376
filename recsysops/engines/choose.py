"""Where a workspace wants its partitions counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recsysops.config.settings import EngineSettings
from recsysops.engines.scan_task import Runner


@contextmanager
def counting_with(settings: EngineSettings, root: Path) -> Iterator[Runner | None]:
    """The runner that the settings name, for as long as the block lasts; None for this process.

    Raises:
        PluginError: if its extra is not installed.
    """
    if settings.kind == "in_process":
        yield None
        return
    from recsysops.engines.spark_runner import SparkRunner

    runner = SparkRunner(root, settings.master, settings.options)
    try:
        yield runner
    finally:
        runner.close()
