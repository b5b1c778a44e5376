"""Columns that went, came, or hold another kind of value than in the partitions before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recsysops.profiles.history import Context, History, PartitionFacts
from recsysops.profiles.measures import Facts, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.contract import Kind
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema, TableSchema
from recsysops.triage.detector import DetectorMeta, Parameters, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, not_between_cohorts, without_reference
from recsysops.triage.findings import Finding, Looked, Severity, Skipped
from recsysops.triage.watched import clocked

_KINDS: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("boolean", ("bool",)),
    ("numeric", ("int", "uint", "float", "double", "halffloat", "decimal", "Int", "Float")),
    ("timestamp", ("timestamp", "date")),
    ("categorical", ("string", "large_string", "dictionary<values=string", "dictionary<values=large_string", "object", "str", "utf8")),
)  # fmt: skip


class SchemaChange:
    """A column is gone, new, or of another type.

    Signals:
        ``column_removed``, ``column_type_changed``, ``column_added``: 1 where it happened. A column that plays a role, is a
        feature or a slice is a warning; others, and new ones, are information. Where a column went and another of its type
        came, the finding says that it may have been renamed.
    Parameters:
        min_usual: share of the earlier partitions that must agree on what is usual, default 0.6.
    Needs:
        Any table with a clock; the types that its files state. Texts of CSV have the types that all their values allow.
    Blind spots:
        Another meaning under the same name and type; columns whose types differ between partitions anyway.
    Example:
        >>> from recsysops.testing.example_log import example_log, findings
        >>> findings(SchemaChange(), example_log())
        []

    Source:
        None: it compares names and types.
    """

    meta = DetectorMeta(
        "INP109",
        "input.schema_change",
        ("candidates", "outcomes", "items", "item_features", "member_features"),
        "warning",
        "schema",
    )

    class Params(Parameters):
        """What counts as usual."""

        min_usual: Rate = 0.6

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        for table in clocked(schema, self.meta.watches):
            yield Facts(table.table)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        skipped = not_between_cohorts(self.meta, context) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        tables = []
        for table in clocked(context.schema, self.meta.watches):
            facts = history.facts(Facts(table.table)) or ()
            current, earlier = _of_days(facts, context.current_days), _of_days(facts, context.reference_days)
            earlier = [one for one in earlier if one not in current]
            if not current or not earlier:
                continue
            tables.append(table.table)
            for change in self._changes(current, earlier):
                yield self._finding(context, table, change)
                if change.statistic == "column_type_changed" and _is_used(table, change.column):
                    yield self._unread(table, change, current)
        yield Looked(self.meta.name, len(tables), f"columns of {', '.join(tables) or 'no table'}", len(tables))

    def _changes(self, current: Sequence[PartitionFacts], earlier: Sequence[PartitionFacts]) -> Iterator[_Change]:
        before, now = [dict(one.columns) for one in earlier], [dict(one.columns) for one in current]
        names_before = Counter(name for columns in before for name in columns)
        usual = {name for name, n in names_before.items() if n >= self.params.min_usual * len(before)}
        gone = {name for name in usual if any(name not in columns for columns in now)}
        new = {name for columns in now for name in columns if name not in names_before}
        types_gone = {name: _last_type(name, before) for name in gone}
        for name in sorted(gone):
            alike = sorted(one for one in new if _last_type(one, now) == types_gone[name])
            yield _Change("column_removed", name, types_gone[name], "", alike[0] if len(alike) == 1 else "")
        for name in sorted(new):
            yield _Change("column_added", name, "", _last_type(name, now))
        for name in sorted(usual - gone):
            kinds = Counter(kind for columns in before if (kind := kind_of_name(columns.get(name, "null"))) is not None)
            found = next((one[name] for one in now if kind_of_name(one[name]) not in (None, *kinds)), None)
            found = found or self._unusual(name, now, kinds)
            if found is not None and kinds:
                yield _Change("column_type_changed", name, _last_type(name, before, kinds.most_common(1)[0][0]), found)

    def _unusual(self, name: str, now: Sequence[dict[str, str]], kinds: Counter[Kind]) -> str | None:
        """A kind that came up lately, days after it was first seen, while another is still the usual one."""
        for columns in now:
            kind = kind_of_name(columns[name])
            if kind is not None and 0 < kinds[kind] <= (1.0 - self.params.min_usual) * kinds.total():
                return columns[name]
        return None

    def _finding(self, context: Context, table: TableSchema, change: _Change) -> Finding:
        is_bad = change.statistic != "column_added" and _is_used(table, change.column)
        severity: Severity = "warning" if is_bad else "info"
        name = quote_identifier(table.table)
        return finding_of(
            self.meta, context, Stated(EVERYTHING, 1.0, 1.0, 1, n_reference=1, series=(0.0, 1.0)),
            table=table.table, column=change.column, statistic=change.statistic, threshold=1.0, severity=severity,
            headline=change.headline(table.table),
            query=f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {name})",
        )  # fmt: skip

    def _unread(self, table: TableSchema, change: _Change, current: Sequence[PartitionFacts]) -> Skipped:
        files = ", ".join(one.key for one in current if dict(one.columns).get(change.column) == change.now)
        reason = f"{change.now} in {files}, {change.before} before: its values there cannot be counted"
        return Skipped(self.meta.name, "not_applicable", reason, table.table, change.column)


@dataclass(frozen=True)
class _Change:
    """A column and its types, as Arrow calls them."""

    statistic: str
    column: str
    before: str
    now: str
    renamed_to: str = ""

    def headline(self, table: str) -> str:
        if self.statistic == "column_removed":
            renamed = f"; {self.renamed_to} is new and of its type: renamed?" if self.renamed_to else ""
            return f"{table} has no column {self.column} any more ({self.before}){renamed}"
        if self.statistic == "column_added":
            return f"{table} has a new column {self.column} ({self.now})"
        return f"{self.column} is {self.now}, before {self.before}"


def kind_of_name(type_: str) -> Kind | None:
    """The kind of a type by its name; None for columns that are all NULL.

    Example:
        >>> kind_of_name("int64"), kind_of_name("timestamp[us, tz=UTC]"), kind_of_name("null"), kind_of_name("list<item: int64>")
        ('numeric', 'timestamp', None, 'other')
    """
    if type_ == "null":
        return None
    return next((kind for kind, names in _KINDS if type_.startswith(names)), "other")


def _of_days(facts: Sequence[PartitionFacts], days: Sequence[object]) -> list[PartitionFacts]:
    wanted = set(days)
    return [one for one in facts if any(day in wanted for day, _ in one.days)]


def _last_type(name: str, columns: Sequence[dict[str, str]], kind: Kind | None = None) -> str:
    """The latest type of a column, of one kind where it is given."""
    known = [one[name] for one in columns if name in one and (kind is None or kind_of_name(one[name]) == kind)]
    return known[-1] if known else ""


def _is_used(table: TableSchema, name: str) -> bool:
    column = table.column(name)
    return name in table.slices or (column is not None and (column.role is not None or column.is_feature))
