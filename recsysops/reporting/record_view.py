"""The screens of ``recsysops snapshot`` and ``recsysops change record``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recsysops.reporting.lines import Line
from recsysops.reporting.numbers import count, percent
from recsysops.reporting.plain import literal
from recsysops.tables.changes import ChangeRecord
from recsysops.tables.snapshots import SnapshotResult


def snapshot_lines(results: Sequence[SnapshotResult]) -> Iterator[Line]:
    """What was kept, table by table."""
    n_kept = sum(result.path is not None for result in results)
    yield Line(
        f"{n_kept} of {count(len(results), 'upstream table')} had changed and {'was' if n_kept == 1 else 'were'} kept",
        "bold",
    )
    for result in results:
        what = "unchanged" if result.path is None else f"{result.n_changed:,} new or changed, {result.n_gone:,} gone"
        yield Line(f"  {literal(result.table)}: {count(result.n_rows, 'row')}, {what}")
    yield Line("")
    yield Line("next   run this by cron: what is kept from today on is the past of tomorrow's forecasts and diffs")


def change_lines(change: ChangeRecord) -> Iterator[Line]:
    """What was recorded."""
    scope = f" of {literal(change.scope)}" if change.scope else ""
    rollout = f" at {percent(change.rollout)} of traffic" if change.rollout is not None else ""
    yield Line(f"Recorded: {literal(change.kind)}{scope}{rollout}, {change.to_dict()['ts']}")
    if change.description:
        yield Line(f"  {literal(change.description)}")
