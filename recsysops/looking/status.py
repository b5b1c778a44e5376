"""``recsysops status``: where a workspace stands, from what is known already; nothing is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from recsysops.config.settings import WorkspaceSettings
from recsysops.incidents.incident import Incident
from recsysops.incidents.run_log import Run
from recsysops.incidents.state import State
from recsysops.inspection.capabilities import capabilities
from recsysops.inspection.report import Capability
from recsysops.looking.horizon import Horizon, horizons
from recsysops.looking.last_run import LastRun, read_last_run
from recsysops.triage.budget import BudgetReport, budget_report
from recsysops.triage.findings import SEVERITIES

CHANGES = "changes.jsonl"
OVER = frozenset({"resolved", "retro", "withdrawn", "merged"})
"""Statuses of incidents that nobody has to look after any more."""


@dataclass(frozen=True)
class Status:
    """Where a workspace stands."""

    workspace: str
    now: datetime
    clock: Literal["wall", "archive"]
    horizons: tuple[Horizon, ...]
    judged_through: date | None
    n_judged: int
    last_run: Run | None
    """The newest run of ``detect``, however it ended."""
    last_good: Run | None
    """The newest that judged its days to the end."""
    note: LastRun | None
    """What the last run that judged could and could not look at."""
    incidents: tuple[Incident, ...]
    """Those not over, worst first."""
    capabilities: tuple[Capability, ...]
    budget: BudgetReport

    @property
    def off(self) -> tuple[Capability, ...]:
        """What this version could do if the logs had the roles for it."""
        return tuple(one for one in self.capabilities if not one.is_on and not one.is_planned)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        note = self.note
        return {
            "schema_version": 1,
            "workspace": self.workspace,
            "now": self.now.isoformat(),
            "clock": self.clock,
            "tables": [one.to_dict(self.now) for one in self.horizons],
            "judged_through": self.judged_through.isoformat() if self.judged_through else None,
            "n_judged_days": self.n_judged,
            "last_run": self.last_run.to_dict() if self.last_run else None,
            "last_good_run": self.last_good.to_dict() if self.last_good else None,
            "last_exit_code": note.exit_code if note else None,
            "incidents": [one.to_dict() for one in self.incidents],
            "skipped": [one.to_dict() for one in note.skipped] if note else [],
            "off": [{"name": one.name, "needs": one.needs, "switch_on": one.switch_on} for one in self.off],
            "budget": self.budget.to_dict(),
        }

    def _repr_html_(self) -> str:
        from recsysops.reporting.page import as_html
        from recsysops.reporting.status_view import status_lines

        return as_html(status_lines(self, width=100))


def look_at_status(
    settings: WorkspaceSettings, root: Path, folder: Path, state: State | None, *, now: datetime
) -> Status:
    """Where a workspace stands.

    Args:
        settings: of the workspace.
        root: its folder.
        folder: of its state.
        state: its state, None when nothing was ever run.
        now: the present moment, UTC.

    Raises:
        StateError: if the state is damaged.
    """
    known = state.incidents() if state else ()
    days = list(state.judged_days()) if state else []
    runs = state.runs("detect") if state else ()
    raised = [one.severity for one in known if one.status != "withdrawn"]
    return Status(
        workspace=settings.name,
        now=now,
        clock=settings.clock,
        horizons=horizons(settings, root, folder),
        judged_through=days[-1] if days else None,
        n_judged=len(days),
        last_run=runs[0] if runs else None,
        last_good=next((one for one in runs if one.is_good), None),
        note=read_last_run(folder),
        incidents=_not_over(known),
        capabilities=capabilities(settings.tables, has_recorded_changes=(folder / CHANGES).is_file()),
        budget=budget_report(settings.budget, raised, len(days)),
    )


def _not_over(known: Sequence[Incident]) -> tuple[Incident, ...]:
    live = [one for one in known if one.status not in OVER]
    return tuple(sorted(live, key=lambda one: (-SEVERITIES.index(one.severity), -one.impact, one.headline, one.id)))
