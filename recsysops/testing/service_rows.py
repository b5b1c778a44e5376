"""What passes the seams of the simulated service on one day, and the site that its log is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from recsysops.drills.fault import SEAMS, Moment, Planted
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site
from recsysops.drills.sites.site_of import site_of
from recsysops.drills.world.service import Service
from recsysops.drills.world.size import WorldSize

TINY = WorldSize(n_members=150, n_titles=80, requests_per_day=120, n_days=8)


class _Spy:
    """Acts at every seam by looking."""

    def __init__(self) -> None:
        self.seen: dict[str, Rows] = {}

    def __getattr__(self, seam: str) -> Callable[[Rows, Moment], Rows]:
        if seam not in SEAMS:
            raise AttributeError(seam)

        def look(rows: Rows, moment: Moment) -> Rows:
            self.seen[seam] = rows
            return rows

        return look


@dataclass(frozen=True)
class ServiceDay:
    """One day of a tiny service."""

    rows: Mapping[str, Rows]
    """By seam."""
    site: Site


@cache
def service_day() -> ServiceDay:
    """The eighth day of a tiny service's log; simulating it takes some seconds, once per process.

    The site is that of the log, as if the service were thirty times as large.
    """
    with TemporaryDirectory() as name:
        folder = Path(name) / "service"
        service = Service.begin(folder, TINY, seed=1)
        spy = _Spy()
        for _ in range(TINY.n_days):
            service.run_day([Planted(spy, TINY.first_day, 0)])
        site = site_of(folder, is_simulated=True)
    return ServiceDay(
        spy.seen,
        replace(
            site,
            n_rows=30 * site.n_rows,
            n_requests=30 * site.n_requests,
            n_members=30 * site.n_members,
            n_outcomes=30 * site.n_outcomes,
        ),
    )
