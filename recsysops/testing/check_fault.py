"""The contract of a fault as named checks; every built-in passes them, and so should yours.

``check_fault(MyFault)`` runs them all. To see them one by one under pytest::

    @pytest.mark.parametrize("check", fault_checks(), ids=lambda check: check.__name__)
    def test_my_fault(check):
        check(MyFault)

A fault at a seam of the simulated service is tried on rows of a tiny one, which takes some seconds the first time; a fault on
one's own logs on the rows of ``example_site``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, get_args

import numpy as np

from recsysops.drills.fault import (
    OWN_SEAMS,
    SEAMS,
    CannotPlantError,
    Cause,
    Fault,
    FaultMeta,
    Planted,
    acts_on_own_logs,
)
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site
from recsysops.tables.contract import TABLES
from recsysops.testing.example_site import ROW, bare_sites, example_candidates, example_outcomes, example_site
from recsysops.testing.rows_compared import amount_changed, copied, is_unchanged
from recsysops.testing.service_rows import service_day
from recsysops.triage.findings import Stage

Check = Callable[[type[Fault]], None]

N_SEEDS = 5
ONSET = date(2026, 11, 2)
_CONTRACT = frozenset({"meta", "severity", "choose", "truth", "visible"})


def check_fault(fault: type[Fault]) -> None:
    """Run every check.

    Raises:
        AssertionError: at the first that fails, saying what was expected.
    """
    for check in fault_checks():
        check(fault)


def fault_checks() -> tuple[Check, ...]:
    """All checks, cheapest first."""
    return (
        check_meta_is_complete,
        check_it_says_what_it_is,
        check_methods_are_seams,
        check_choosing_is_deterministic,
        check_bare_sites_are_refused_kindly,
        check_severity_is_kept_within_bounds,
        check_truth_is_well_formed,
        check_what_theory_sees_is_a_severity,
        check_rows_given_stay_as_they_are,
        check_acting_is_deterministic,
        check_rows_of_own_logs_are_not_made_anew,
        check_severity_counts,
    )


def check_meta_is_complete(fault: type[Fault]) -> None:
    meta = fault.meta
    assert isinstance(meta, FaultMeta), f"meta: found {type(meta).__name__}, expected FaultMeta"
    assert re.fullmatch(r"[a-z][a-z0-9_]*", meta.name), f"name {meta.name!r}: expected snake case"
    assert meta.stage in get_args(Stage), f"stage {meta.stage!r}: expected one of {get_args(Stage)}"
    assert meta.cause in get_args(Cause), f"cause {meta.cause!r}: expected one of {get_args(Cause)}"
    for name in ("entity", "knob", "symptom", "cure"):
        assert getattr(meta, name).strip(), f"{name}: expected some words"
    assert 0 < meta.target <= meta.most, f"target {meta.target}: expected above 0 and at most {meta.most} (most)"
    assert meta.deadline_days >= 1, f"deadline_days {meta.deadline_days}: expected at least 1"


def check_it_says_what_it_is(fault: type[Fault]) -> None:
    first = inspect.cleandoc(fault.__doc__ or "").partition("\n")[0]
    assert 10 < len(first) <= 100 and first.endswith("."), f"first line {first!r}: expected a sentence for the list"  # noqa: PT018
    is_frozen = getattr(getattr(fault, "__dataclass_params__", None), "frozen", False)
    assert is_frozen, "expected a frozen dataclass"


def check_methods_are_seams(fault: type[Fault]) -> None:
    known = [*SEAMS, *OWN_SEAMS]
    methods = [name for name, _ in inspect.getmembers(fault, callable) if not name.startswith("_")]
    seams = [name for name in methods if name not in _CONTRACT]
    assert seams, f"acts nowhere: expected a method named after a seam, one of {', '.join(known)}"
    for name in seams:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else "helpers begin with an underscore"
        assert name in known, f"{name}: no seam; {hint}"


def check_choosing_is_deterministic(fault: type[Fault]) -> None:
    for site in _sites(fault):
        for seed in range(N_SEEDS):
            first, second = (fault.choose(fault.meta.target, site, np.random.default_rng(seed)) for _ in range(2))
            assert first == second, f"seed {seed}: two choices differ; draw from rng alone"


def check_bare_sites_are_refused_kindly(fault: type[Fault]) -> None:
    for number, site in enumerate(bare_sites()):
        for seed in range(N_SEEDS):
            try:
                seen = fault.choose(fault.meta.target, site, np.random.default_rng(seed)).visible(site)
            except CannotPlantError:
                continue
            except Exception as error:
                raise AssertionError(f"bare site {number}: {error!r}, expected CannotPlantError") from error
            assert 0 < seen <= fault.meta.most, f"bare site {number}: visible is {seen}"


def check_severity_is_kept_within_bounds(fault: type[Fault]) -> None:
    meta = fault.meta
    for chosen in _chosen(fault, 1e9):
        assert 0 < chosen.severity <= meta.most, f"severity {chosen.severity}: expected at most {meta.most} (most)"
    for chosen in _chosen(fault, meta.target):
        assert np.isclose(chosen.severity, meta.target), f"asked for {meta.target}, severity is {chosen.severity}"
    for chosen in () if meta.is_graded else _chosen(fault, meta.most):
        assert chosen.severity > 0, "not graded: expected the fault as a whole"


def check_truth_is_well_formed(fault: type[Fault]) -> None:
    for site in _sites(fault):
        for seed in range(N_SEEDS):
            truth = fault.choose(fault.meta.target, site, np.random.default_rng(seed)).truth()
            assert truth.entities and all(truth.entities), "truth: expected at least one entity"  # noqa: PT018
            assert truth.touches or not fault.meta.is_fault, "truth: expected something that it touches"
            for pattern in truth.touches:
                table, dot, column = pattern.partition(".")
                assert table in TABLES and dot and column, f"touches {pattern!r}: expected table.column of the contract"  # noqa: PT018
            for dimension, value in truth.slice.items():
                assert str(value) in site.slices.get(dimension, {}), f"slice {dimension}={value}: not of the site"
            assert all(isinstance(one, str) and one for one in truth.items), "items: expected ids as texts"


def check_what_theory_sees_is_a_severity(fault: type[Fault]) -> None:
    for site in _sites(fault):
        for seed in range(N_SEEDS):
            seen = fault.choose(fault.meta.target, site, np.random.default_rng(seed)).visible(site)
            assert 0 < seen <= fault.meta.most, f"visible {seen}: expected above 0 and at most {fault.meta.most}"


def check_rows_given_stay_as_they_are(fault: type[Fault]) -> None:
    for seam, rows, planted in _acting(fault):
        before = copied(rows)
        _act(planted, seam, rows)
        assert is_unchanged(before, rows), f"{seam}: changed the rows it was given; copy, change, with_columns"


def check_acting_is_deterministic(fault: type[Fault]) -> None:
    for seam, rows, planted in _acting(fault):
        first, second = (_act(planted, seam, rows) for _ in range(2))
        assert is_unchanged(first, second), f"{seam}: two calls differ; draw from moment.rng alone"


def check_rows_of_own_logs_are_not_made_anew(fault: type[Fault]) -> None:
    for seam, rows, planted in _acting(fault):
        if seam in OWN_SEAMS:
            assert ROW in _act(planted, seam, rows), f"{seam}: columns are lost; change the rows given"


def check_severity_counts(fault: type[Fault]) -> None:
    """On own logs: the least severity changes next to nothing, and more severity not less."""
    meta = fault.meta
    levels = [1e-9 * meta.target, *np.geomspace(meta.target, meta.most, 3)] if meta.is_graded else []
    for seam in _seams(fault, OWN_SEAMS) if meta.is_graded else ():
        rows = _passing(seam)
        amounts = [amount_changed(rows, _act(_planted(fault, seam, level), seam, rows)) for level in levels]
        said = f"{seam}: at severities {levels} it changes {[round(one, 1) for one in amounts]} cells"
        assert amounts[0] <= 0.02 * len(rows) + 3, f"{said}; expected next to none at the first"
        assert all(more >= 0.9 * less - 5 for less, more in pairwise(amounts)), f"{said}; expected more and more"
        assert amounts[-1] > 0, f"{said}; expected some at the last"


def _seams(fault: type[Fault], seams: Iterable[str] = (*SEAMS, *OWN_SEAMS)) -> list[str]:
    return [seam for seam in seams if callable(getattr(fault, seam, None))]


def _sites(fault: type[Fault]) -> Iterator[Site]:
    """Where it must be possible to plant it."""
    if _seams(fault, SEAMS):
        yield service_day().site
    if acts_on_own_logs(fault):
        yield example_site()


def _chosen(fault: type[Fault], severity: float) -> Iterator[Fault]:
    for site in _sites(fault):
        for seed in range(N_SEEDS):
            yield fault.choose(severity, site, np.random.default_rng(seed))


def _planted(fault: type[Fault], seam: str, severity: float, seed: int = 0) -> Planted:
    site = service_day().site if seam in SEAMS else example_site()
    return Planted(fault.choose(severity, site, np.random.default_rng(seed)), ONSET, seed)


def _acting(fault: type[Fault]) -> Iterator[tuple[str, Rows, Planted]]:
    """Every seam at which it acts, what passes there, and the fault planted."""
    for seam in _seams(fault):
        yield seam, _passing(seam), _planted(fault, seam, fault.meta.target)


def _passing(seam: str) -> Rows:
    """A copy, so that a fault that writes into it spoils nothing for others."""
    own = {"own_candidates": example_candidates, "own_outcomes": example_outcomes}
    return copied(own[seam]() if seam in own else service_day().rows[seam])


def _act(planted: Planted, seam: str, rows: Rows) -> Rows:
    try:
        changed: Any = getattr(planted.acting, seam)(rows, planted.moment(seam, ONSET))
    except Exception as error:
        raise AssertionError(f"{seam}: {type(error).__name__}: {error}") from error
    assert isinstance(changed, Rows), f"{seam}: gave {type(changed).__name__}, expected Rows"
    lengths = {len(changed[name]) for name in changed}
    assert len(lengths) == 1, f"{seam}: columns of different lengths {sorted(lengths)}"
    return changed
