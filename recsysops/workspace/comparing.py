"""``compare`` in an opened workspace: the same judges between two cohorts; nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from recsysops.engines.progress import Progress
from recsysops.workspace.counting import counted_by, detectors_of

if TYPE_CHECKING:
    from recsysops.reporting.compare_report import CompareReport
    from recsysops.triage.findings import Severity
    from recsysops.workspace.opened import Opened


def compare_in(
    opened: Opened,
    words: tuple[str, str],
    only: Sequence[str],
    skip: Sequence[str],
    fail_on: Severity | None,
    progress: Progress,
) -> CompareReport:
    """Count and judge two cohorts, named by conditions; ``Workspace.compare`` has the words."""
    from recsysops.engines.cohorts import open_cohort, parse_conditions
    from recsysops.errors import ConfigError
    from recsysops.incidents.comparing import compare
    from recsysops.incidents.lock import workspace_lock
    from recsysops.reporting.compare_report import compare_report

    started = time.monotonic()
    settings = opened.settings
    conditions = (parse_conditions(words[0], "--reference"), parse_conditions(words[1], "--current"))
    if set(conditions[0]) == set(conditions[1]):
        raise ConfigError("--reference and --current", found=f"{words[1]!r} twice", expected="two different cohorts")
    with ExitStack() as held:
        held.enter_context(workspace_lock(opened.location, "compare"))
        tables = opened.tables
        chosen = detectors_of(opened, only, skip)
        cohorts = [held.enter_context(open_cohort(tables, one, opened.state)) for one in conditions]
        counted = [counted_by(opened, cohort.tables, chosen.measures, progress) for cohort in cohorts]
        comparison = compare(cohorts, [engine for engine, _ in counted], chosen.detectors, settings, tables)
    return compare_report(
        comparison,
        could_not=(*chosen.skipped, *(one for _, summary in counted for one in summary.skipped)),
        n_detectors=len(chosen.detectors) + len(chosen.skipped),
        fail_on=fail_on or settings.detect.fail_on,
        seconds=time.monotonic() - started,
    )
