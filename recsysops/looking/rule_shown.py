"""A workspace's own rule as something to show: the number it watches, or the statistic that its incident was found by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from recsysops.config.declared import DeclaredSettings
from recsysops.config.own_rules import standing_files
from recsysops.config.settings import WorkspaceSettings
from recsysops.errors import ConfigError
from recsysops.incidents.standing_check import StandingCheck, read_check
from recsysops.looking.measure_names import NAMES, Shown, shown
from recsysops.profiles.measures import Cells
from recsysops.tables.nearest import did_you_mean
from recsysops.tables.schema import Schema
from recsysops.tables.views.registered import with_views
from recsysops.triage.declared import CODES, declared_detectors, said
from recsysops.triage.declared_values import aggregate_sql, measure_of
from recsysops.triage.metric_series import metric_measures

_OF_ONE_VALUE = ("category_rate", "exposure_share")
"""Need a value that a standing check does not hold."""


def rule_shown(name: str, settings: WorkspaceSettings, schema: Schema, root: Path) -> Shown:
    """What ``recsysops show concern.NAME`` or ``check.NAME`` means.

    Args:
        name: of the rule, as ``recsysops detectors list`` has it.
        settings: of the workspace.
        schema: of its tables.
        root: its folder.

    Raises:
        ConfigError: if there is no such rule, it is unsound, or what it watches is no daily number of one table.
    """
    checks = {f"check.{path.stem}": path for path in standing_files(root)}
    if name in checks:
        return _of_check(name, read_check(checks[name])[0], schema)
    rules = {
        f"{prefix}.{own}": one
        for declared, (_, prefix) in ((settings.concerns, CODES["concerns"]), (settings.checks, CODES["checks"]))
        for own, one in declared.items()
    }
    if name not in rules:
        advice = did_you_mean(name, [*rules, *checks], "`recsysops detectors list` has them")
        raise ConfigError("show", found=repr(name), expected="a rule of this workspace", next_step=advice)
    declared_detectors(settings, with_views(schema), root)  # raises where a rule does not fit the tables
    return _of_declared(name, rules[name], schema)


def _of_declared(name: str, declared: DeclaredSettings, schema: Schema) -> Shown:
    table = schema.table(declared.table)
    if table is None:
        raise ConfigError(
            f"show {name}",
            found=f"a rule on {declared.table}, which is derived",
            expected="one on a table of the log",
            next_step=f"run `recsysops detect --only {name} --verbose`",
        )
    item = table.role("item_id")
    title = f"{name}: {said(declared)}, expected {expected_words(declared)}"
    by = item.name if declared.per == "item" and item is not None else ""
    rows = Cells(declared.table, by_hour=True)
    if declared.metric:
        also = tuple(metric_measures(schema))
        return Shown(name, "number", declared.table, rows, "", by=by, also=also, declared=declared, said=title)
    measure = measure_of(declared, table)
    kept = f" FILTER ({measure.where}\n)" if measure.where else ""
    sql = aggregate_sql(measure, kept)
    return Shown(name, "number", declared.table, measure, sql, by=by, declared=declared, said=title)


def _of_check(name: str, check: StandingCheck, schema: Schema) -> Shown:
    if check.statistic not in NAMES or check.statistic in _OF_ONE_VALUE:
        raise ConfigError(
            f"show {name}",
            found=f"{check.statistic} of {check.detector}, which is no measure by itself",
            expected="one of the measures of `recsysops show`",
            next_step=f"`recsysops show --finding {check.finding}` prints its arithmetic",
        )
    of_measure = shown(check.statistic, check.column or None, check.table, schema)
    ((kind, bound), *_) = check.expectation.items()
    limit = "absent" if kind == "finding" else f"{kind.replace('_', ' ')} {bound:,.4g}"
    return replace(of_measure, by=next(iter(check.slice), ""), said=f"{name}: {of_measure.title}, expected {limit}")


def expected_words(declared: DeclaredSettings) -> str:
    """The expectation in words.

    Example:
        >>> expected_words(DeclaredSettings(share="shown", between=(0.2, 0.4)))
        'between 0.2 and 0.4'
        >>> expected_words(DeclaredSettings(mean="price", no_change_beyond=0.1))
        'to change by no more than 10 %'
    """
    if declared.between is not None:
        return f"between {declared.between[0]:,.4g} and {declared.between[1]:,.4g}"
    if declared.at_least is not None:
        return f"at least {declared.at_least:,.4g}"
    if declared.at_most is not None:
        return f"at most {declared.at_most:,.4g}"
    return (
        "unchanged" if declared.unchanged else f"to change by no more than {100 * (declared.no_change_beyond or 0):g} %"
    )
