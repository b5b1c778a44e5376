"""Findings with one cause are one incident: what belongs together, and which of them is the headline.

Two findings share a cause when they are about the same column or entity, when columns made the same jump in the same
rows on the same day, when they began on one day in one slice alone or where one table is written, when columns filled from
one upstream table moved on the same day or the day after it did, when a score or an output moved on the day an input broke
or the day after, or when several outputs moved on one day. The headline is the earliest, then the most upstream, then the
widest of them. Everything here is pure and does not depend on the order of its input.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from types import MappingProxyType

from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.triage.components import Components
from recsysops.triage.findings import SEVERITIES, Finding, Severity, Stage
from recsysops.triage.impact import affected_share, concentrated_in

UPSTREAM_FIRST: tuple[Stage, ...] = (
    "upstream", "schema", "logging", "label", "feature", "training", "artifact",
    "retrieval", "ranking", "policy", "experiment", "client", "launch", "world",
)  # fmt: skip
OF_OUTPUT = ("output.", "member.", "item.", "system.metric")
"""Detectors of what comes out: they show that something is wrong, seldom where."""
STANDING = "check.incident-"
_WRITING: tuple[Stage, ...] = ("logging", "label")
"""Stages at which a table comes into being: what happens to it there on one day has one cause."""
UPSTREAM_TABLES = frozenset({"items", "item_features", "member_features"})
_MADE_OF = {"items": 0, "item_features": 1, "member_features": 1}
"""How far tables are from the catalogue; what is logged is farthest."""
SYMPTOM_WITHIN = timedelta(days=1)
Lineage = Mapping[tuple[str, str], tuple[str, str]]
"""(table, column) → the (table, column) that its values come from."""
NO_LINEAGE: Lineage = MappingProxyType({})
SAME_JUMP = 0.1
"""Two rates made the same jump when their changes differ by at most this share of the larger."""


@dataclass(frozen=True)
class Group:
    """Findings of one cause, headline first, then by severity, onset, stage and effect."""

    headline: Finding
    findings: tuple[Finding, ...]
    where: Slice
    """The widest slice that holds the effect, when it is held by one; else every row."""
    impact: float
    """Share of the table's rows concerned, in [0, 1]."""

    @property
    def severity(self) -> Severity:
        """The worst of its findings."""
        return max((finding.severity for finding in self.findings), key=SEVERITIES.index)

    @property
    def onset(self) -> date:
        """The first day of the earliest of them."""
        return min(_onset(finding) for finding in self.findings)


def group(
    findings: Iterable[Finding], n_rows: Mapping[str, int] | None = None, lineage: Lineage = NO_LINEAGE
) -> tuple[Group, ...]:
    """Every finding in exactly one group; groups by severity, impact and name.

    Args:
        findings: of one day, with their onsets.
        n_rows: rows of each table on that day, for the share of traffic a group touches.
        lineage: where features come from.
    """
    ordered = sorted(findings, key=lambda finding: finding.id)
    parts = Components(len(ordered))
    _join_entities(ordered, parts)
    _join_equal_jumps(ordered, parts)
    _join_places(ordered, parts)
    _join_sources(ordered, parts, lineage)
    bundles = [[ordered[index] for index in part] for part in parts.lists()]
    groups = (_as_group(bundle, n_rows or {}) for bundle in _with_symptoms(bundles))
    return tuple(sorted(groups, key=_rank))


def _entity(finding: Finding) -> tuple[str, ...]:
    if finding.column:
        return (finding.table, "column", finding.column)
    return (finding.table, finding.subject.kind, finding.subject.id)


def _join_entities(findings: Sequence[Finding], parts: Components) -> None:
    """The same thing; and rows that moved between values of a column, with the column that changed its values."""
    first: dict[tuple[str, ...], int] = {}
    columns = {(finding.table, finding.column) for finding in findings if finding.column}
    for index, finding in enumerate(findings):
        entity = _entity(finding)
        if not finding.column and (finding.table, finding.slice.dimension) in columns:
            entity = (finding.table, "column", finding.slice.dimension)
        parts.join(first.setdefault(entity, index), index)


def _join_equal_jumps(findings: Sequence[Finding], parts: Components) -> None:
    """Columns whose rate made the same jump in the same rows on the same day broke together."""
    alike: dict[tuple[object, ...], list[tuple[float, int]]] = defaultdict(list)
    for index, finding in enumerate(findings):
        if finding.statistic.endswith("_rate") and finding.reference_value is not None:
            kind = (finding.detector, finding.statistic, finding.table, finding.slice, _onset(finding))
            alike[kind].append((finding.value - finding.reference_value, index))
    for jumps in alike.values():
        for (low, one), (high, other) in pairwise(sorted(jumps)):
            if abs(high - low) <= SAME_JUMP * max(abs(low), abs(high)):
                parts.join(one, other)


def _join_places(findings: Sequence[Finding], parts: Components) -> None:
    """What began on one day in one place: in one slice alone, with whole tables, or with how one table is written."""
    of_inputs = [one for one in enumerate(findings) if not _is_of_output(one[1])]
    whole = {(_entity(finding), _onset(finding)) for _, finding in of_inputs if finding.slice == EVERYTHING}
    first: dict[tuple[object, ...], int] = {}
    for index, finding in of_inputs:
        day, places = _onset(finding), list[tuple[object, ...]]()
        if finding.slice != EVERYTHING and (_entity(finding), day) not in whole:
            places.append((day, finding.slice))
        if not finding.column and finding.subject.kind == "table":
            is_up = finding.reference_value is not None and finding.value > finding.reference_value
            places.append((day, finding.detector, finding.statistic, finding.slice, is_up))
        if finding.stage in _WRITING:
            places.append((day, finding.table, finding.stage, finding.slice))
        for place in places:
            parts.join(first.setdefault(place, index), index)


def _join_sources(findings: Sequence[Finding], parts: Components, lineage: Lineage) -> None:
    """What began on one day in columns of one upstream table, here or where they are logged, came from there.

    What is filled from that table may follow it by a day: features are made of yesterday's catalogue.
    """
    of_columns = [one for one in enumerate(findings) if one[1].column and not _is_of_output(one[1])]
    first: dict[tuple[str, date], int] = {}
    for index, finding in of_columns:
        if finding.table in UPSTREAM_TABLES:
            parts.join(first.setdefault((finding.table, _onset(finding)), index), index)
    in_source = dict(first)
    for index, finding in of_columns:
        day = _onset(finding)
        for source in _sources(finding, lineage):
            before = in_source.get((source, day - SYMPTOM_WITHIN))
            if (source, day) not in in_source and before is not None:
                parts.join(before, index)
            else:
                parts.join(first.setdefault((source, day), index), index)


def _sources(finding: Finding, lineage: Lineage) -> list[str]:
    """The upstream tables that a column is filled from, the nearest first."""
    found: list[str] = []
    origin = lineage.get((finding.table, finding.column))
    while origin is not None and origin[0] not in (finding.table, *found):
        found.append(origin[0])
        origin = lineage.get(origin)
    return [table for table in found if table in UPSTREAM_TABLES]


def _with_symptoms(bundles: list[list[Finding]]) -> list[list[Finding]]:
    """Outputs that moved on the day an input broke go beneath that input, the most upstream one if there are several."""
    causes = sorted((bundle for bundle in bundles if not _is_symptom(bundle)), key=lambda bundle: _order(_head(bundle)))
    taken: dict[int, list[Finding]] = {number: list(cause) for number, cause in enumerate(causes)}
    alone = []
    for symptom in (bundle for bundle in bundles if _is_symptom(bundle)):
        number = next((number for number, cause in enumerate(causes) if _explains(cause, symptom)), None)
        if number is None:
            alone.append(symptom)
        else:
            taken[number] += symptom
    return [*taken.values(), *_together(alone)]


def _together(symptoms: Sequence[list[Finding]]) -> list[list[Finding]]:
    """Outputs that moved on one day in rows that overlap, and without an input that explains them, have one cause."""
    parts = Components(len(symptoms))
    for one in range(len(symptoms)):
        for other in range(one):
            if min(map(_onset, symptoms[one])) == min(map(_onset, symptoms[other])) and _share_rows(
                symptoms[one], symptoms[other]
            ):
                parts.join(one, other)
    return [[finding for number in part for finding in symptoms[number]] for part in parts.lists()]


def _is_of_output(finding: Finding) -> bool:
    return finding.detector.startswith(OF_OUTPUT)


def _is_symptom(bundle: Sequence[Finding]) -> bool:
    """A standing check is of what its detector is of, which mostly stands beside it."""
    said = [finding for finding in bundle if not finding.detector.startswith(STANDING)]
    return all(map(_is_of_output, said or bundle))


def _explains(cause: Sequence[Finding], symptom: Sequence[Finding]) -> bool:
    """Labels come a day late, so what they show may follow its cause by as much; what is expected causes no alarm."""
    if all(map(_is_expected, cause)) and not all(map(_is_expected, symptom)):
        return False
    lag = min(map(_onset, symptom)) - min(map(_onset, cause))
    return timedelta(0) <= lag <= SYMPTOM_WITHIN and _share_rows(cause, symptom)


def _is_expected(finding: Finding) -> bool:
    return finding.severity == "info"


def _share_rows(one: Sequence[Finding], other: Sequence[Finding]) -> bool:
    return any(_can_overlap(a.slice, b.slice) for a in one for b in other)


def _can_overlap(one: Slice, other: Slice) -> bool:
    """Two values of one dimension share no rows; anything else may."""
    return one.dimension != other.dimension or one.value == other.value


def _as_group(bundle: Sequence[Finding], n_rows: Mapping[str, int]) -> Group:
    head = _head(bundle)
    rest = sorted((finding for finding in bundle if finding is not head), key=_order_within)
    family = [finding for finding in bundle if _family(finding) == _family(head)]
    where = concentrated_in(head, family) if head.slice == EVERYTHING else head.slice
    return Group(head, (head, *rest), where, affected_share(head, n_rows))


def _head(bundle: Sequence[Finding]) -> Finding:
    """The first in order of what is no mere information; rows of one value of a column follow from what happened to it."""
    columns = {finding.column for finding in bundle if finding.column}

    def order(finding: Finding) -> tuple[object, ...]:
        is_part = not finding.column and finding.slice.dimension in columns
        return (_is_expected(finding), is_part, *_order(finding))

    return min(bundle, key=order)


def _family(finding: Finding) -> tuple[object, ...]:
    """The same statistic of the same thing, in whatever slice."""
    return (finding.detector, finding.statistic, _entity(finding))


def _order(finding: Finding) -> tuple[object, ...]:
    """Earliest, most upstream (by stage, then by table), worst, widest, strongest."""
    stage = UPSTREAM_FIRST.index(finding.stage)
    is_part = finding.slice != EVERYTHING
    depth = _MADE_OF.get(finding.table, 2)
    return (_onset(finding), stage, depth, _badness(finding), is_part, -finding.n_current, -finding.effect, finding.id)


def _order_within(finding: Finding) -> tuple[object, ...]:
    stage = UPSTREAM_FIRST.index(finding.stage)
    is_part = finding.slice != EVERYTHING
    return (_badness(finding), _onset(finding), stage, is_part, -finding.effect, finding.id)


def _rank(found: Group) -> tuple[object, ...]:
    return (-SEVERITIES.index(found.severity), -found.impact, found.headline.detector, found.headline.id)


def _badness(finding: Finding) -> int:
    return -SEVERITIES.index(finding.severity)


def _onset(finding: Finding) -> date:
    return finding.onset or finding.day
