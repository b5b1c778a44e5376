"""The case of a request: its candidates, other requests of its days and place, the models, and what came of it, read once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from recsysops.cases.as_of_checks import AsOfCheck, as_of_checks
from recsysops.cases.outcome_log import Outcome, read_outcomes
from recsysops.cases.replay_means import loaded_models, traced_features
from recsysops.cases.request_log import read_request_log
from recsysops.cases.subject import Window
from recsysops.cases.subject_requests import SubjectRequests, texts
from recsysops.errors import RecSysOpsError
from recsysops.models.artifact import Artifact
from recsysops.peers.catalogue import Catalogue, read_catalogue
from recsysops.profiles.history import Change
from recsysops.replay.candidates import Candidates
from recsysops.replay.tracing import Traced
from recsysops.replay.values import micros
from recsysops.tables.table import Table

CHANGE_DAYS = 7
"""Days before the first request whose recorded changes are looked at."""
MOST_CATALOGUES = 20
"""Of more requests only the first are held against the catalogue."""


@dataclass(frozen=True)
class RequestCase:
    """All that the steps look at."""

    requests: tuple[str, ...]
    window: Window
    """From the first request's day to the last one's end."""
    tables: Mapping[str, Table]
    log: SubjectRequests
    traced: tuple[Traced, ...]
    """All rows' features beside their upstream sources."""
    artifacts: Mapping[str, Artifact]
    problems: Mapping[str, str]
    """Why models could not be loaded, and what else could not be read."""
    changes: tuple[Change, ...]
    outcomes: tuple[Outcome, ...] | None
    """Of the requests; None where outcomes do not name requests."""

    @property
    def own(self) -> Candidates:
        """The requests' own rows."""
        return self.log.own

    @cached_property
    def checks(self) -> tuple[AsOfCheck, ...]:
        """The requests' features held against their sources."""
        return as_of_checks(self.log, self.traced)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Ids of the requests in the order of ``own``."""
        first = texts(self.own.role("request_id")).to_pylist()
        return tuple(str(first[row]) for row in self.own.first_rows)

    @cached_property
    def times(self) -> tuple[datetime, ...]:
        """When each was served, in the order of ``own``."""
        seconds = micros(self.own.role("ts"))[self.own.first_rows] / 1e6
        return tuple(datetime.fromtimestamp(float(one), UTC) for one in seconds)

    @cached_property
    def catalogues(self) -> tuple[Catalogue, ...]:
        """What was known of items at the time of each of the first requests.

        Raises:
            ConfigError: if the workspace has no items table.
            SchemaError, SourceError: as ``Table.batches``.
        """
        return tuple(read_catalogue(self.tables, at) for at in self.times[:MOST_CATALOGUES])


def read_request_case(
    tables: Mapping[str, Table],
    root: Path,
    requests: Sequence[str],
    *,
    changes: Sequence[Change] = (),
    trusted: Sequence[Path] = (),
) -> RequestCase:
    """Read all that the diagnosis of one or several requests needs.

    Args:
        tables: the workspace's, with candidates at least.
        root: the workspace folder, where model files lie.
        requests: ids as the log has them.
        changes: recorded deploys, configurations and the like.
        trusted: further folders that model files may lie in.

    Raises:
        NotEnoughDataError: if a request was not logged.
        SchemaError, SourceError: if the candidates cannot be read.
    """
    asked = tuple(dict.fromkeys(requests))
    log = read_request_log(tables["candidates"], asked)
    problems: dict[str, str] = {}
    artifacts = loaded_models(tables, root, log.own, trusted, problems)
    window = _window(log)
    traced = traced_features(tables, log.rows, window, problems)
    near = [one for one in changes if window.start - timedelta(days=CHANGE_DAYS) <= one.ts < window.end]
    outcomes = _outcomes(tables, asked, problems)
    return RequestCase(asked, window, tables, log, traced, artifacts, problems, tuple(near), outcomes)


def _window(log: SubjectRequests) -> Window:
    days = log.days[log.is_own]
    first, last = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=int(day)) for day in (np.min(days), np.max(days)))
    return Window(first, last + timedelta(days=1))


def _outcomes(
    tables: Mapping[str, Table], requests: Sequence[str], problems: dict[str, str]
) -> tuple[Outcome, ...] | None:
    table = tables.get("outcomes")
    if table is None or table.schema.role("request_id") is None:
        problems["outcomes"] = "no table says which outcomes followed which request"
        return None
    try:
        return read_outcomes(table, "request_id", requests)
    except RecSysOpsError as error:
        problems["outcomes"] = str(error)
        return None
