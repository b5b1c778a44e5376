"""Slates that may not be: repeated items, gaps, filtered, unavailable or unlaunched items, an order against the scores."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.profiles.history import CellContrast, Context, History
from recsysops.profiles.measures import Measure, PerRequest
from recsysops.tables.schema import Schema, TableSchema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, before, finding_of, percent
from recsysops.triage.findings import Finding, Looked, Skipped, Stage
from recsysops.triage.own_names import own_slice, role_column
from recsysops.triage.rate_gate import RateChange, RateLimits
from recsysops.triage.request_rates import Flagged, above, rising_rates
from recsysops.triage.shown import chosen, is_shown, named, under_own_name

_RULES: dict[str, tuple[str, str, str, Stage, tuple[str, ...]]] = {
    "has_repeat": ("requests", "item_id", "slates show an item twice", "policy", ("item_id",)),
    "has_gap": ("requests", "position", "slates have a gap in their positions", "client", ("position",)),
    "shows_filtered": ("requests", "filtered_by", "slates show an item that a filter took", "policy", ("filtered_by",)),
    "is_misordered": ("requests", "raw_rank", "raw ranks do not follow the scores", "ranking", ("raw_rank",)),
    "is_before_launch": ("impressions", "item_id", "slates show an item before its launch", "launch", ("item_id",)),
    "is_unavailable": ("impressions", "item_id", "slates show an item that is not available", "policy", ("item_id",)),
    "is_unknown": ("impressions", "item_id", "slates show an item that the catalogue does not know", "upstream", ("item_id",)),
}  # fmt: skip
"""Column of the view → view, role at fault, what is said, stage, roles that the log must have."""
_CATALOGUE = {"is_before_launch": "items", "is_unavailable": "availability", "is_unknown": "items"}


class SlateInvariants:
    """Slates break a rule that they kept before.

    Signals:
        ``has_repeat_rate``, ``has_gap_rate``, ``shows_filtered_rate``, ``is_misordered_rate``, ``is_before_launch_rate``,
        ``is_unavailable_rate``, ``is_unknown_rate``: requests that break the rule over all requests, in [0, 1]; higher is worse.
    Parameters:
        min_rate_change: least rise in points of rate, default 0.005; min_ratio: a rate that grows this many times, default 2,
        needs a fifth of that; max_rate: with no day to compare with, the rate above which a broken rule is reported at all,
        default 0.005.
    Needs:
        ``candidates`` with position, filtered_by and raw_rank for the rules about them; ``items`` for launches and for what is
        known, ``availability`` for what may be shown.
    Blind spots:
        A rule that was always broken as often; a catalogue that is itself wrong.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().set("candidates", "position", 9.0, where="position == 2 and ts.dt.minute == 7")
        >>> {found.statistic for found in findings(SlateInvariants(), log)}
        {'has_gap_rate'}

    Source:
        A rule that 2,000 requests on five days never broke tolerates nothing; else the gates of ``recsysops.triage``.
    """

    meta = DetectorMeta("OUT208", "output.slate_invariants", ("candidates",), "warning", "policy")

    class Params(Parameters):
        """Floors of ``output.slate_invariants``."""

        min_rate_change: Rate = 0.005
        min_ratio: Positive = 2.0
        max_rate: Rate = 0.005

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        for name in _rules(schema):
            yield _measure(name)

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        n_series, names = 0, _rules(context.schema)
        if not names:
            yield Skipped(self.meta.name, "not_applicable", "the log tells no slates", "candidates")
            return
        for name in names:
            contrast = history.cells(_measure(name))
            if contrast is not None:
                n_series += len(contrast.slices)
                yield from (self._finding(context, name, change) for change in self._changes(context, name, contrast))
        yield Looked(self.meta.name, n_series, f"{len(names)} rules of slates", len(names))

    def _changes(self, context: Context, name: str, contrast: CellContrast) -> Iterator[RateChange | Stated]:
        if not context.reference_days:
            change = above(contrast, self.params.max_rate)
            return iter([] if change is None else [change])
        limits = RateLimits(self.params.min_rate_change, self.params.min_ratio, only_up=True)
        return rising_rates(contrast, Flagged(f"{name}_rate", tolerates=False), limits)

    def _finding(self, context: Context, name: str, change: RateChange | Stated) -> Finding:
        _, role, said, stage, _ = _RULES[name]
        compared = f", {before(context)} {percent(change.reference)}" if change.n_reference else ""
        return finding_of(
            self.meta, context, under_own_name(context.schema, change),
            table="candidates", column=role_column(context.schema, "candidates", role), statistic=f"{name}_rate",
            threshold=self.params.min_rate_change, stage=stage,
            severity="critical" if change.value - change.reference >= 0.5 else "warning",
            headline=f"{said} in {percent(change.value)} of requests{compared}",
            query=_query(context, name, change),
        )  # fmt: skip


def _rules(schema: Schema) -> tuple[str, ...]:
    table = schema.table("candidates")
    if table is None or not _tells_slates(table):
        return ()
    return tuple(
        name
        for name, (view, _, _, _, roles) in _RULES.items()
        if schema.table(view) is not None
        and all(table.role(role) is not None for role in roles)
        and (name not in _CATALOGUE or schema.table(_CATALOGUE[name]) is not None)
        and (name != "is_before_launch" or schema.tables["items"].role("launch_at") is not None)
        and (name != "is_misordered" or (table.role("raw_score") or table.role("score")) is not None)
    )


def _tells_slates(table: TableSchema) -> bool:
    """Whether a request is more than a heap of rows."""
    return table.role("request_id") is not None and (table.role("shown") or table.role("raw_rank")) is not None


def _measure(name: str) -> PerRequest:
    return PerRequest(_RULES[name][0], "any_row", (name,))


def _query(context: Context, name: str, change: RateChange | Stated) -> str:
    schema = context.schema
    rows = chosen(context, own_slice(schema, change.slice), is_shown(schema))
    request, item, position = (named(schema, role) for role in ("request_id", "item_id", "position"))
    if name == "has_repeat":
        return f'SELECT {request}, {item}, count(*) AS n FROM "candidates" {rows} GROUP BY ALL HAVING count(*) > 1 ORDER BY 1 LIMIT 20'
    if name == "has_gap":
        return (
            f'SELECT {request}, list({position} ORDER BY {position}) AS positions FROM "candidates" {rows} GROUP BY 1 '
            f"HAVING min({position}) <> 1 OR max({position}) <> count(DISTINCT {position}) ORDER BY 1 LIMIT 20"
        )
    if name == "shows_filtered":
        by = named(schema, "filtered_by")
        return f"SELECT {request}, {item}, {by} FROM \"candidates\" {rows} AND coalesce({by}, '') <> '' ORDER BY 1 LIMIT 20"
    if name == "is_misordered":
        rank, score = (
            named(schema, "raw_rank"),
            named(schema, "raw_score" if named(schema, "raw_score") != "NULL" else "score"),
        )
        every = chosen(context, own_slice(schema, change.slice))
        return (
            f'SELECT {request}, {rank}, {score} FROM "candidates" {every} QUALIFY {score} > lag({score}) OVER '
            f"(PARTITION BY {request} ORDER BY {rank}) ORDER BY 1, 2 LIMIT 20"
        )
    return _catalogue_query(context, name, rows)


def _catalogue_query(context: Context, name: str, rows: str) -> str:
    """Items shown on the judged days with what the catalogue says of them."""
    schema = context.schema
    table, item = _CATALOGUE[name], named(schema, "item_id")
    key = named(schema, "item_id", table)
    shown = f'SELECT CAST({item} AS VARCHAR) AS item, min({named(schema, "ts")}) AS first_shown, count(*) AS n FROM "candidates" {rows} GROUP BY 1'
    if name == "is_unknown":
        return f'SELECT * FROM ({shown}) WHERE item NOT IN (SELECT CAST({key} AS VARCHAR) FROM "{table}") ORDER BY n DESC LIMIT 20'
    times = ("launch_at",) if name == "is_before_launch" else ("from", "to")
    known = ", ".join(f"max({named(schema, one, table)}) AS last_{one}" for one in times)
    return f'SELECT s.*, k.* EXCLUDE (item) FROM ({shown}) s JOIN (SELECT CAST({key} AS VARCHAR) AS item, {known} FROM "{table}" GROUP BY 1) k USING (item) ORDER BY n DESC LIMIT 20'
