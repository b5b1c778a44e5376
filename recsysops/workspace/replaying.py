"""What asks the model and the catalogue again: logged requests scored once more, and comparable items."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from recsysops.workspace.opened import Opened

if TYPE_CHECKING:
    from recsysops.reporting.peers_view import PeersReport
    from recsysops.reporting.replay_report import ReplayReport


class Replaying(Opened):
    """The verbs that replay a logged day."""

    def replay(self, day: str | None = None, n_requests: int | None = 200) -> ReplayReport:
        """Score logged requests of a day again, and find the first stage that differs.

        Args:
            day: a day of UTC; the newest of the log when None.
            n_requests: how many, chosen by their hash; all when None.
        """
        from recsysops.replay.day import replay_day
        from recsysops.reporting.replay_report import ReplayReport

        chosen = self._day(day)
        trusted = [Path(folder) for folder in self.settings.model_folders]
        found = replay_day(self.tables, self.root, chosen, n_requests, trusted=trusted)
        return ReplayReport(self.settings.name, chosen, found)

    def peers(self, item: str, day: str | None = None, k: int = 50, *, without: Sequence[str] = ()) -> PeersReport:
        """Items that an item can be compared with, by what was known of them before anything was shown.

        Args:
            item: its id.
            day: as known at the end of this day of UTC; the newest of the log when None.
            k: how many at most.
            without: attributes not to compare by.
        """
        from recsysops.incidents.calendar import end_of
        from recsysops.reporting.peers_view import report_peers

        chosen = self._day(day)
        return report_peers(self.tables, item, end_of(chosen), k, without)

    def _day(self, word: str | None) -> date:
        from recsysops.incidents.day_words import parse_day
        from recsysops.replay.day import newest_day

        return newest_day(self.tables["candidates"]) if word is None else parse_day(word, "--day")
