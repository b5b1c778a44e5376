"""What judges: whether all is sound, what the detectors find between days, and between cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from recsysops.engines.progress import SILENT, Progress
from recsysops.workspace.comparing import compare_in
from recsysops.workspace.detecting import detect_in
from recsysops.workspace.opened import Opened

if TYPE_CHECKING:
    from recsysops.inspection.report import CheckReport
    from recsysops.reporting.compare_report import CompareReport
    from recsysops.reporting.detect_report import DetectReport
    from recsysops.reporting.shelf import Listed
    from recsysops.triage.detector import Tier
    from recsysops.triage.findings import Severity


class Judging(Opened):
    """The verbs that judge."""

    def check(self) -> CheckReport:
        """Whether configuration and data are sound, and which capabilities are on."""
        from recsysops.inspection.check import check_workspace

        return check_workspace(self.settings, self.root)

    def detectors(self) -> tuple[Listed, ...]:
        """Every installed detector, then the workspace's own rules."""
        from recsysops.config.own_rules import rules_near
        from recsysops.reporting.shelf import listed

        path = Path(self.path) if self.path is not None else None
        return listed("detectors", rules_near(path, env=self.env, brand=self.brand))

    def detect(
        self,
        date: date | str | None = None,
        since: date | str | None = None,
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

        return detect_in(self, Request(_words(date), _words(since), reference, tier), only, skip, fail_on, progress)

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
        return compare_in(self, (reference, current), only, skip, fail_on, progress)


def _words(day: date | str | None) -> str | None:
    return day if day is None or isinstance(day, str) else day.isoformat()[:10]
