"""Which of the incidents of a day are the planted fault's: by event and scope, without any point adjustment.

An incident is fresh when it says something that the clean twin (the same days without the fault) does not say; one that
was open before the onset only when it is quiet in the twin, or has another headline there. It is right when what it says in addition lies in the fault's
scope: a column (or item) that the fault touches, and a slice that does not contradict the fault's. Everything here is a
function of values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from types import MappingProxyType

from recsysops.drills.fault import FaultMeta, Truth
from recsysops.incidents.incident import Incident
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.contract import TABLES
from recsysops.triage.findings import Finding

NO_ALIASES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Told:
    """What one daily run told."""

    day: date
    incidents: tuple[Incident, ...]
    """Those there on that day, in the order of the report."""
    findings: Mapping[str, Finding]
    aliases: Mapping[str, str] = field(default_factory=dict)
    """``table.column`` → ``table.role`` where the logs call a role by another name."""


@dataclass(frozen=True)
class CleanTwin:
    """What is told without the fault."""

    open_incidents: frozenset[int] = frozenset()
    """Numbers of those open before the onset."""
    finding_ids: Mapping[date, frozenset[str]] = field(default_factory=dict)
    """Findings of each day's incidents."""


@dataclass(frozen=True)
class Matched:
    """The fresh incidents of a day and, among them, the fault's."""

    fresh: tuple[Incident, ...] = ()
    right: tuple[Incident, ...] = ()
    is_top1: bool = False
    """The first fresh incident names the fault's stage and an entity that counts as right."""
    is_top3: bool = False


def match(told: Told, twin: CleanTwin, meta: FaultMeta, truth: Truth) -> Matched:
    """Tell the fault's incidents from the others; both in the order of the report."""
    fresh = tuple(incident for incident in told.incidents if _is_fresh(incident, told.day, twin))
    right = tuple(
        incident for incident in fresh if any(overlaps(one, truth, told.aliases) for one in _new(incident, told, twin))
    )
    names = [is_named(incident, meta, truth, told.aliases) for incident in fresh[:3]] if right else []
    return Matched(fresh, right, any(names[:1]), any(names))


def _is_fresh(incident: Incident, day: date, twin: CleanTwin) -> bool:
    """An older incident counts when the fault brings it back or gives it another headline: people read that today."""
    said = twin.finding_ids.get(day, frozenset())
    if incident.id in twin.open_incidents:
        return said.isdisjoint(incident.finding_ids) or incident.finding_ids[0] not in said
    return bool(_added(incident, day, twin))


def _added(incident: Incident, day: date, twin: CleanTwin) -> frozenset[str]:
    return frozenset(incident.finding_ids) - twin.finding_ids.get(day, frozenset())


def _new(incident: Incident, told: Told, twin: CleanTwin) -> Iterable[Finding]:
    added = _added(incident, told.day, twin)
    return (finding for name, finding in told.findings.items() if name in added)


def overlaps(finding: Finding, truth: Truth, aliases: Mapping[str, str] = NO_ALIASES) -> bool:
    """Whether the finding lies in the fault's scope."""
    if finding.subject.kind == "item" and truth.items and finding.subject.id not in truth.items:
        return False
    name = name_of(finding.table, finding.column)
    return is_touched(name, truth, aliases) and not _contradicts(finding, truth)


def name_of(table: str, column: str = "") -> str:
    """A column, or a table as a whole, in the words of ``Truth.touches``."""
    return f"{table}.{column or '*'}"


def is_touched(name: str, truth: Truth, aliases: Mapping[str, str] = NO_ALIASES) -> bool:
    """Whether a column or table may rightly show symptoms of the fault."""
    return any(
        spelt == pattern or fnmatchcase(spelt, pattern)
        for spelt in {name, aliases.get(name, name)}
        for pattern in truth.touches
    )


def _contradicts(finding: Finding, truth: Truth) -> bool:
    """Another value of a dimension that the fault is confined in: no row is in both."""
    wanted = truth.slice.get(finding.slice.dimension)
    return wanted is not None and str(wanted) != finding.slice.value


def is_named(incident: Incident, meta: FaultMeta, truth: Truth, aliases: Mapping[str, str] = NO_ALIASES) -> bool:
    """Whether an incident's own stage and entity are those at fault."""
    return is_cause(incident.stage, incident.entity, meta, truth, aliases)


def is_cause(stage: str, entity: str, meta: FaultMeta, truth: Truth, aliases: Mapping[str, str] = NO_ALIASES) -> bool:
    """Whether stage and entity are those at fault; the truth may spell an entity with its table or without."""
    spelt = _spellings(entity) | _spellings(aliases.get(entity, entity))
    return stage in {meta.stage, *truth.stages} and not spelt.isdisjoint(truth.entities)


def _spellings(entity: str) -> set[str]:
    table, _, rest = entity.partition(".")
    return {entity, rest} if table in TABLES and rest else {entity}


def where_of(incident: Incident) -> Slice:
    """The slice that an incident is held by."""
    dimension, equals, value = incident.where.partition("=")
    return Slice(dimension, value) if equals else EVERYTHING
