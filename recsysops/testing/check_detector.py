"""The contract of a detector as named checks; every built-in passes them, and so should yours.

``check_detector(MyDetector)`` runs them all. To see them one by one under pytest::

    @pytest.mark.parametrize("check", detector_checks(), ids=lambda check: check.__name__)
    def test_my_detector(check):
        check(MyDetector)
"""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from recsysops import registry
from recsysops.tables.contract import TABLES
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.views.registered import VIEWS
from recsysops.testing.detector_cases import DetectorCase, check_case
from recsysops.testing.example_log import SCHEMA, ExampleLog, example_log
from recsysops.testing.example_slates import example_slates
from recsysops.testing.histories import ArrayHistory
from recsysops.triage.detector import Detector, Verdict
from recsysops.triage.findings import SEVERITIES, Finding, Looked, SkipKind, Skipped, Stage

if TYPE_CHECKING:
    import pandas as pd

Check = Callable[[type[Detector]], None]

SECTIONS = ("Signals", "Parameters", "Needs", "Blind spots", "Example", "Source")
N_CLEAN_SEEDS = 6


def check_detector(detector: type[Detector], cases: Iterable[DetectorCase] = ()) -> None:
    """Run every check, then the cases.

    Raises:
        AssertionError: at the first that fails, saying what was expected.
    """
    for check in detector_checks():
        check(detector)
    for case in cases:
        check_case(detector, case)


def detector_checks() -> tuple[Check, ...]:
    """All checks, cheapest first."""
    return (
        check_meta_is_complete,
        check_name_and_code_are_unique,
        check_docstring_has_its_sections,
        check_params_are_frozen_and_documented,
        check_measures_are_stable_values,
        check_no_tables_is_no_crash,
        check_judging_is_pure,
        check_findings_are_well_formed,
        check_findings_survive_json,
        check_queries_run,
        check_identical_days_give_no_finding,
        check_order_and_extra_columns_do_not_matter,
        check_degenerate_windows_do_not_crash,
        check_first_day_asks_for_more,
        check_cohorts_can_be_compared,
        check_clean_logs_give_no_alarm,
    )


def check_meta_is_complete(detector: type[Detector]) -> None:
    meta = detector.meta
    assert re.fullmatch(r"[A-Z]{3}\d{3}", meta.code), f"code {meta.code!r}: expected three letters and three digits"
    assert re.fullmatch(r"[a-z_]+(\.[a-z0-9_]+)+", meta.name), f"name {meta.name!r}: expected dotted lower case"
    assert meta.watches, "watches no table"
    assert set(meta.watches) <= set(TABLES), f"watches {meta.watches}: expected tables of the contract"
    assert meta.severity in SEVERITIES, f"severity {meta.severity!r}: expected one of {SEVERITIES}"
    assert meta.stage in get_args(Stage), f"stage {meta.stage!r}: expected one of {get_args(Stage)}"


def check_name_and_code_are_unique(detector: type[Detector]) -> None:
    for plugin in registry.plugins("detectors"):
        other = plugin.load()
        if (other.__module__, other.__qualname__) == (detector.__module__, detector.__qualname__):
            assert plugin.name == detector.meta.name, f"registered as {plugin.name}, calls itself {detector.meta.name}"
            continue
        assert other.meta.name != detector.meta.name, f"{plugin.origin} has a detector {detector.meta.name} too"
        assert other.meta.code != detector.meta.code, (
            f"{plugin.name} of {plugin.origin} has code {detector.meta.code} too"
        )


def check_docstring_has_its_sections(detector: type[Detector]) -> None:
    text = inspect.cleandoc(detector.__doc__ or "")  # as compilers from 3.13 on store it
    first = text.partition("\n")[0]
    assert 10 < len(first) <= 100, f"first line {first!r}: expected a sentence that the operator reads"
    assert first.endswith("."), f"first line {first!r}: expected a sentence that the operator reads"
    places = [f"\n{text}".find(f"\n{section}:") for section in SECTIONS]
    missing = [section for section, place in zip(SECTIONS, places, strict=True) if place < 0]
    assert not missing, f"docstring: expected the sections {missing}"
    assert ">>>" in text, "docstring: expected an example that runs"


def check_params_are_frozen_and_documented(detector: type[Detector]) -> None:
    params = detector.Params()
    for name, field in detector.Params.model_fields.items():
        assert name in (detector.__doc__ or ""), f"docstring: parameter {name} is not explained"
        assert not field.is_required(), f"parameter {name}: expected a default"
        _refused(partial(setattr, params, name, getattr(params, name)), f"parameter {name} can be changed")
    _refused(partial(detector.Params.model_validate, {"no_such_parameter": 1}), "an unknown parameter is accepted")
    detector.Params.model_validate(params.model_dump())


def check_measures_are_stable_values(detector: type[Detector]) -> None:
    asked, again = (list(_made(detector).measures(_small(detector).schema)) for _ in range(2))
    assert asked == again, "measures differ between two calls"
    assert len(set(asked)) == len(asked), "a measure is asked for twice"
    unknown = {_base(measure.table) for measure in asked} - set(detector.meta.watches)
    assert not unknown, f"measures read {unknown}, which meta.watches does not name"


def check_no_tables_is_no_crash(detector: type[Detector]) -> None:
    made, log = _made(detector), _small(detector)
    assert not list(made.measures(Schema({}))), "measures of an empty workspace: expected none"
    bare = ArrayHistory(replace(log.history(made).context, schema=Schema({})))
    for history in (bare, ArrayHistory(log.history(made).context)):
        assert not _findings(made.judge(history)), "findings without any counts"


def check_judging_is_pure(detector: type[Detector]) -> None:
    made = _made(detector)
    history = spoiled_log(shows_slates(detector)).history(made)
    arrays: list[npt.NDArray[Any]] = [
        array for cells in history.cell_contrasts.values() for array in (cells.reference, cells.current)
    ]
    arrays += [array for keyed in history.keyed_contrasts.values() for array in (keyed.reference, keyed.current)]
    arrays += [array for sample in history.samples.values() for array in (sample.reference, sample.current)]
    before = [array.tobytes() for array in arrays]
    first, second = list(made.judge(history)), list(_made(detector).judge(history))
    assert first == second, "two judgements of one history differ"
    assert before == [array.tobytes() for array in arrays], "judging changed the history"


def check_findings_are_well_formed(detector: type[Detector]) -> None:
    made = _made(detector)
    verdicts = list(made.judge(spoiled_log(shows_slates(detector)).history(made)))
    assert all(isinstance(one, (Finding, Skipped, Looked)) for one in verdicts), "expected Finding, Skipped or Looked"
    assert any(isinstance(one, (Looked, Skipped)) for one in verdicts), "never says how much was looked at"
    found = _findings(verdicts)
    assert len({one.id for one in found}) == len(found), "two findings have one id"
    for one in found:
        assert (one.code, one.detector) == (detector.meta.code, detector.meta.name), (
            f"{one.headline}: of another detector"
        )
        assert one.table in detector.meta.watches, f"{one.headline}: table {one.table} is not watched"
        assert one.effect >= 1 and (one.p_value or 0) <= 1e-3, f"{one.headline}: below its own gates"  # noqa: PT018
        assert (one.low is None) or one.low <= one.value + 1e-12, f"{one.headline}: value below its interval"
        assert (one.high is None) or one.high >= one.value - 1e-12, f"{one.headline}: value above its interval"
        assert one.headline and "\n" not in one.headline, "headline: expected one line"  # noqa: PT018


def check_findings_survive_json(detector: type[Detector]) -> None:
    made = _made(detector)
    for one in _findings(made.judge(spoiled_log(shows_slates(detector)).history(made))):
        said = one.to_dict()
        assert json.loads(json.dumps(said, allow_nan=False)) == said, f"{one.headline}: changed by JSON"
        assert all(math.isfinite(number) for number in one.series), f"{one.headline}: series with holes"


def check_queries_run(detector: type[Detector]) -> None:
    """Run in DuckDB over the very tables that were judged."""
    import duckdb

    made, log = _made(detector), spoiled_log(shows_slates(detector))
    with duckdb.connect() as connection:
        for name, frame in log.tables.items():
            connection.register(name, frame.assign(ts=frame["ts"].dt.tz_localize(None)) if "ts" in frame else frame)
        for one in _findings(made.judge(log.history(made))):
            if one.query:
                assert connection.execute(one.query).fetchall(), f"{one.headline}: its query shows nothing"


def check_identical_days_give_no_finding(detector: type[Detector]) -> None:
    import pandas as pd

    made, log = _made(detector), _small(detector)
    tables = {}
    for name, frame in log.tables.items():
        clock = "ts" if "ts" in frame else "as_of"
        first = frame[frame[clock].dt.date == log.days[0]]
        copies = [first.assign(**{clock: first[clock] + pd.Timedelta(days=index)}) for index in range(len(log.days))]
        for index, copy in enumerate(copies):
            if "request_id" in copy:
                copy["request_id"] = [
                    None if one is None or one != one else f"{index}-{one}" for one in copy["request_id"]
                ]
        tables[name] = pd.concat(copies, ignore_index=True)
    _no_findings(made, replace(log, tables=tables), "identical days")


def check_order_and_extra_columns_do_not_matter(detector: type[Detector]) -> None:
    made, log = _made(detector), spoiled_log(shows_slates(detector))
    rng = np.random.default_rng(1)
    tables = {
        name: frame.iloc[rng.permutation(len(frame))].assign(stray=1).reset_index(drop=True)
        for name, frame in log.tables.items()
    }
    turned = {name: _reversed(table) for name, table in log.schema.tables.items()}
    other = replace(log, tables=tables, schema=Schema(turned))
    first, second = ({one.id for one in _findings(made.judge(one.history(made)))} for one in (log, other))
    assert first == second, f"found {len(first)} and, with rows and columns in another order, {len(second)}"


def check_degenerate_windows_do_not_crash(detector: type[Detector]) -> None:
    made, log = _made(detector), _small(detector)
    no_current = replace(log, tables={name: _without(frame, log, current=True) for name, frame in log.tables.items()})
    no_reference = replace(
        log, tables={name: _without(frame, log, current=False) for name, frame in log.tables.items()}
    )
    one_row = replace(no_reference, tables={name: frame.head(1) for name, frame in no_reference.tables.items()})
    nothing = replace(log, tables={name: frame.head(0) for name, frame in log.tables.items()})
    all_null = replace(log, tables={name: _nulled(frame) for name, frame in log.tables.items()})
    for spoiled in (no_current, no_reference, one_row):
        list(made.judge(spoiled.history(made)))
    for spoiled, said in ((nothing, "empty tables"), (all_null, "tables that were always NULL")):
        _no_findings(made, spoiled, said)


def check_first_day_asks_for_more(detector: type[Detector]) -> None:
    made, log = _made(detector), _small(detector)
    verdicts = list(made.judge(replace(log, days=log.days[-1:]).history(made)))
    assert not _findings(verdicts), "a finding on the first day of a healthy log"
    assert any(isinstance(one, (Skipped, Looked)) for one in verdicts), "says nothing on the first day"
    assert all(one.kind in get_args(SkipKind) for one in verdicts if isinstance(one, Skipped)), (
        "unknown kind of Skipped"
    )


def check_cohorts_can_be_compared(detector: type[Detector]) -> None:
    made, log = _made(detector), replace(_small(detector), n_current=3)
    history = log.history(made)
    cohorts = replace(history, context=replace(history.context, mode="cohorts"))
    assert not _findings(made.judge(cohorts)), "a difference between halves of one healthy log"


def check_clean_logs_give_no_alarm(detector: type[Detector]) -> None:
    """At most one of the seeds may give findings, and none below a p-value of 1e-4."""
    made = _made(detector)
    slates = shows_slates(detector)
    alarms = [_findings(made.judge(_clean(seed, slates).history(made))) for seed in range(N_CLEAN_SEEDS)]
    loud = [found for found in alarms if any((one.p_value or 0.0) < 1e-4 for one in found)]
    assert not loud, f"alarms on healthy logs: {[one.headline for one in loud[0]]}"
    assert sum(bool(found) for found in alarms) <= 1, f"{sum(map(bool, alarms))} of {N_CLEAN_SEEDS} healthy logs alarm"


def shows_slates(detector: type[Detector]) -> bool:
    """Whether the detector needs the log of a whole recommender: it finds nothing to measure in the plain one."""
    return not list(_made(detector).measures(SCHEMA))


@lru_cache(maxsize=2)
def spoiled_log(slates: bool = False) -> ExampleLog:
    """A log with a fault of every kind, so that nearly every detector has something to say."""
    return _spoiled_slates() if slates else _spoiled_rows()


def _spoiled_rows() -> ExampleLog:
    log = _clean(0).set("candidates", "feature_0", None, rate=0.1).set("candidates", "feature_1", 0.0, rate=0.1)
    log = log.set("candidates", "genre", 'it\'s "new"', rate=0.1).set("candidates", "score", math.nan, rate=0.01)
    log = log.set("candidates", "item_id", "item_39", where="position == 1").scale("candidates", "score", by=0.5)
    log = log.drop("candidates", where="market == 'DK'").drop("candidates", where="ts.dt.hour >= 18")
    return log.repeat("candidates", rate=0.05)


def _spoiled_slates() -> ExampleLog:
    log = _clean(0, slates=True).drop("candidates", where="candidate_source == 'new' and market == 'DK'")
    log = log.set("candidates", "raw_score", 0.5, where="ts.dt.minute < 6").scale("candidates", "score", by=0.5)
    log = log.set("candidates", "item_id", 'it\'s "39"', where="position == 1").set(
        "candidates", "position", 9.0, rate=0.03
    )
    log = log.set("candidates", "shown", True, where="filtered_by == 'seen' and ts.dt.hour < 4")
    log = log.set("candidates", "model_id", "it's new", where="host == 'h2'").scale("candidates", "price", by=7.0)
    log = log.set("candidates", "score", 0.5, where="ts.dt.minute < 6")
    return log.drop("outcomes", where="ts.dt.minute >= 40").drop("outcomes", rate=0.7, where="origin == 'search'")


@lru_cache(maxsize=16)
def _clean(seed: int, slates: bool = False) -> ExampleLog:
    if slates:
        return example_slates(n_days=6, requests_per_day=200, seed=100 + seed)
    return example_log(n_days=6, requests_per_day=200, slate=4, seed=100 + seed)


def _small(detector: type[Detector]) -> ExampleLog:
    return _clean(0, shows_slates(detector))


def _base(table: str) -> str:
    """The table that a view is derived from; any other table itself."""
    return VIEWS[table].base if table in VIEWS else table


def _made(detector: type[Detector]) -> Detector:
    return detector(detector.Params())


def _findings(verdicts: Iterable[Verdict]) -> list[Finding]:
    return [one for one in verdicts if isinstance(one, Finding)]


def _no_findings(made: Detector, log: ExampleLog, said: str) -> None:
    found = [one.headline for one in _findings(made.judge(log.history(made)))]
    assert not found, f"found on {said}: {found}"


def _refused(action: Callable[[], object], complaint: str) -> None:
    try:
        action()
    except ValidationError:
        return
    raise AssertionError(complaint)


def _reversed(table: TableSchema) -> TableSchema:
    return replace(table, columns=table.columns[::-1], slices=table.slices[::-1])


def _without(frame: pd.DataFrame, log: ExampleLog, *, current: bool) -> pd.DataFrame:
    """The table without the judged day, or without all others."""
    clock = "ts" if "ts" in frame else "as_of"
    is_current = np.asarray(frame[clock].dt.date == log.days[-1], np.bool_)
    kept: pd.DataFrame = frame[is_current != current].reset_index(drop=True)
    return kept


def _nulled(frame: pd.DataFrame) -> pd.DataFrame:
    """Everything NULL but what places a row in time and in a request."""
    kept = ("ts", "as_of", "request_id", "item_id")
    return frame.assign(**{str(name): np.full(len(frame), None, object) for name in frame if name not in kept})
