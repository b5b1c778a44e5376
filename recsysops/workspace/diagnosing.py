"""What finds the cause: an item, a member, a request, a model or an incident diagnosed."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from recsysops.workspace.opened import Opened

if TYPE_CHECKING:
    from recsysops.cases.diagnosis import Diagnosis
    from recsysops.engines.progress import Progress


class Diagnosing(Opened):
    """The verbs that find causes."""

    def diagnose_item(
        self,
        item: str,
        *,
        day: str | None = None,
        n_days: int = 7,
        n_peers: int = 200,
        progress: Progress | None = None,
    ) -> Diagnosis:
        """Why does an item fare as it does?

        Args:
            item: its id.
            day: the last day of UTC looked at; the newest of the log when None.
            n_days: how many days are diagnosed; three weeks before them are read for comparison.
            n_peers: comparable items at most.
            progress: told of what takes time; nobody when None.

        Raises:
            NotEnoughDataError: if neither the log nor the catalogue knows the item.
            ConfigError, SchemaError, SourceError: if tables cannot be read.
        """
        from recsysops.cases.item_case import read_item_case
        from recsysops.cases.item_diagnosis import diagnose_item
        from recsysops.cases.subject import Window
        from recsysops.engines.progress import SILENT
        from recsysops.incidents.calendar import end_of
        from recsysops.incidents.day_words import parse_day
        from recsysops.replay.day import newest_day

        chosen = newest_day(self.tables["candidates"]) if day is None else parse_day(day, "--day")
        end = end_of(chosen)
        window = Window(end - timedelta(days=n_days), end)
        trusted = [Path(folder) for folder in self.settings.model_folders]
        case = read_item_case(
            self.tables, self.root, item, window, changes=self.known_changes(), n_peers=n_peers, trusted=trusted
        )
        return diagnose_item(case, progress=progress or SILENT)

    def diagnose_incident(self, number: int, *, n_items: int = 2, progress: Progress | None = None) -> Diagnosis:
        """What caused an incident?

        Args:
            number: the incident's.
            n_items: so many of the items that it concerns are diagnosed, too.
            progress: told of what takes time; nobody when None.

        Raises:
            ConfigError: if there is no such incident.
        """
        from recsysops.cases.differing_items import differing_items
        from recsysops.cases.incident_case import IncidentCase, concerned_items
        from recsysops.cases.incident_diagnosis import diagnose_incident
        from recsysops.engines.progress import SILENT
        from recsysops.errors import ConfigError
        from recsysops.incidents.desk_values import ordered

        with self.remembered() as state:
            if state is None:
                advice = "`recsysops detect` looks for some"
                raise ConfigError(f"incident {number}", found="none yet", expected="a judged day", next_step=advice)
            incident = state.incident(number)
            findings = ordered(state.findings(incident.finding_ids), incident)
        first, last = incident.onset, incident.last_seen
        concerned = concerned_items(findings, self.tables, first, last, n_items)
        items = tuple(self._of_incident(item, last) for item in concerned)
        known = tuple(one for one in items if one is not None)
        differing = None
        if any(one.detector == "output.replay_mismatch" for one in findings) and "models" in self.tables:
            trusted = [Path(folder) for folder in self.settings.model_folders]
            differing = differing_items(self.tables, self.root, last, trusted)
        case = IncidentCase(
            number, incident.headline, first, last, findings, self.known_changes(), self.tables, known, differing
        )
        return diagnose_incident(case, progress=progress or SILENT)

    def _of_incident(self, item: str, day: date) -> Diagnosis | None:
        """The diagnosis of one of an incident's items; None where neither log nor catalogue knows it."""
        from recsysops.errors import NotEnoughDataError

        try:
            return self.diagnose_item(item, day=day.isoformat())
        except NotEnoughDataError:
            return None
