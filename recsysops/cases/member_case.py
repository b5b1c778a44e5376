"""The case of a member: the last requests, members alike, what the feature store says of the member, and what was looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path

from recsysops.cases.as_of_checks import AsOfCheck, as_of_checks
from recsysops.cases.member_facts import MemberFacts, read_member_facts
from recsysops.cases.member_log import read_member_log
from recsysops.cases.outcome_log import Outcome, read_outcomes
from recsysops.cases.replay_means import loaded_models, traced_features
from recsysops.cases.subject import Window
from recsysops.cases.subject_requests import SubjectRequests, texts
from recsysops.errors import RecSysOpsError
from recsysops.models.artifact import Artifact
from recsysops.peers.catalogue import Catalogue, read_catalogue
from recsysops.peers.choosing import choose_peers
from recsysops.peers.known_rows import read_attributes
from recsysops.profiles.history import Change
from recsysops.replay.candidates import Candidates
from recsysops.replay.tracing import Traced
from recsysops.tables.table import Table

N_REQUESTS = 50
N_ALIKE = 300
PAST_DAYS = 14
"""Days before the window in which a fact of the member may have changed."""


@dataclass(frozen=True)
class MemberCase:
    """All that the steps look at."""

    member: str
    window: Window
    tables: Mapping[str, Table]
    log: SubjectRequests
    alike: tuple[str, ...]
    """Members alike by facts, nearest first; empty where nothing is known, and members of the same place stand in."""
    facts: MemberFacts
    traced: tuple[Traced, ...]
    """All rows' features beside their upstream sources."""
    artifacts: Mapping[str, Artifact]
    problems: Mapping[str, str]
    """Why something could not be read: models, features, alike, outcomes, catalogue."""
    changes: tuple[Change, ...]
    outcomes: tuple[Outcome, ...] | None
    """Of the member and the others in the log; None where they cannot be told by member."""
    catalogue: Catalogue | None
    """As known at the end of the window."""

    @property
    def own(self) -> Candidates:
        """The member's own rows."""
        return self.log.own

    @cached_property
    def checks(self) -> tuple[AsOfCheck, ...]:
        """The features held against their sources."""
        return as_of_checks(self.log, self.traced)


def read_member_case(
    tables: Mapping[str, Table],
    root: Path,
    member: str,
    window: Window,
    *,
    n_requests: int = N_REQUESTS,
    changes: Sequence[Change] = (),
    trusted: Sequence[Path] = (),
) -> MemberCase:
    """Read all that a member's diagnosis needs.

    Args:
        tables: the workspace's, with candidates at least.
        root: the workspace folder, where model files lie.
        member: as the log has it.
        window: to be diagnosed.
        n_requests: at most so many of the member's requests, the last ones.
        changes: recorded deploys, configurations and the like.
        trusted: further folders that model files may lie in.

    Raises:
        ConfigError: if the log does not say who asked.
        NotEnoughDataError: if the member has no logged request in the window.
        SchemaError, SourceError: if the candidates cannot be read.
    """
    problems: dict[str, str] = {}
    facts = _facts(tables, member, window, problems)
    alike = _alike(tables, member, window, facts, problems)
    log = read_member_log(tables["candidates"], member, window, alike, n_requests)
    artifacts = loaded_models(tables, root, log.own, trusted, problems)
    traced = traced_features(tables, log.rows, window, problems)
    near = tuple(one for one in changes if window.start - timedelta(days=PAST_DAYS) <= one.ts < window.end)
    outcomes = _outcomes(tables, log, window, problems)
    try:
        catalogue = read_catalogue(tables, window.end)
    except RecSysOpsError as error:
        catalogue, problems["catalogue"] = None, str(error)
    return MemberCase(member, window, tables, log, alike, facts, traced, artifacts, problems, near, outcomes, catalogue)


def _facts(tables: Mapping[str, Table], member: str, window: Window, problems: dict[str, str]) -> MemberFacts:
    if "member_features" not in tables:
        problems["member_features"] = "the workspace has no table member_features"
        return MemberFacts((), (), 0)
    try:
        found = read_member_facts(tables["member_features"], member, window.end)
    except RecSysOpsError as error:
        problems["member_features"] = str(error)
        return MemberFacts((), (), 0)
    first = window.start - timedelta(days=PAST_DAYS)
    return replace(found, changes=tuple(one for one in found.changes if first <= one.since < window.end))


def _alike(
    tables: Mapping[str, Table], member: str, window: Window, facts: MemberFacts, problems: dict[str, str]
) -> tuple[str, ...]:
    """By facts as they were before the window, so that what went wrong in it does not choose whom the member is compared with."""
    if not facts.columns:
        problems["alike"] = problems.get("member_features", "no column of member_features that never changes")
        return ()
    try:
        known = read_attributes(tables["member_features"], window.start, list(facts.columns))
        return choose_peers(known, known.place(member), {}, k=N_ALIKE).keys
    except RecSysOpsError as error:
        problems["alike"] = str(error)
        return ()


def _outcomes(
    tables: Mapping[str, Table], log: SubjectRequests, window: Window, problems: dict[str, str]
) -> tuple[Outcome, ...] | None:
    table = tables.get("outcomes")
    if table is None or table.schema.role("member_id") is None or table.schema.role("origin") is None:
        problems["outcomes"] = "no table says which member did what, and where it came from (origin)"
        return None
    members = [one for one in texts(log.rows.role("member_id")).unique().to_pylist() if one is not None]
    try:
        return read_outcomes(table, "member_id", members, window)
    except RecSysOpsError as error:
        problems["outcomes"] = str(error)
        return None
