"""The outer tenths of labels against numpy's quantiles, and a query for logs whose outcomes name no request."""

from __future__ import annotations

from datetime import date

import duckdb
import numpy as np
import numpy.typing as npt
import pytest

from recsysops import registry
from recsysops.detectors.label_value import extremes
from recsysops.profiles.history import HISTOGRAM_SPECIALS, CellContrast
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.schema import Schema, TableSchema
from recsysops.testing.example_log import ExampleLog, findings
from recsysops.testing.example_slates import example_slates
from recsysops.triage.detector import Detector

Floats = npt.NDArray[np.float64]
MADE = {one.name: one for one in registry.plugins("detectors")}["input.label_value"].load()
DETECTOR: Detector = MADE(MADE.Params())
DAYS = (date(2026, 3, 1),)


def histogram(values: Floats, edges: Floats) -> CellContrast:
    places = np.searchsorted(edges, values, side="left") + len(HISTOGRAM_SPECIALS)
    n_cells = len(HISTOGRAM_SPECIALS) + len(edges) + 1
    counts = np.bincount(places, minlength=n_cells).reshape(1, 1, -1)
    names = (*HISTOGRAM_SPECIALS, *(f"bin {one}" for one in range(len(edges) + 1)))
    return CellContrast((EVERYTHING,), names, DAYS, DAYS, counts, counts, lambda _w, _i: counts[0], edges)


@pytest.mark.parametrize("seed", range(5))
def test_the_outer_tenths_are_those_of_the_quantiles(seed: int) -> None:
    values = np.random.default_rng(seed).gamma(2.0, 15.0, 4000)
    edges = np.quantile(values, np.linspace(0.02, 0.98, 49))
    contrast = histogram(values, edges)
    low, high = extremes(contrast)
    counts = contrast.reference[0, 0]
    below, above = np.quantile(values, [0.1, 0.9])
    assert counts[list(low.flagged)].sum() == pytest.approx((values <= below).sum(), abs=0.02 * len(values))
    assert counts[list(high.flagged)].sum() == pytest.approx((values > above).sum(), abs=0.02 * len(values))
    assert not set(low.flagged) & set(high.flagged)


@pytest.mark.parametrize("values", [np.full(500, 3.0), np.zeros(0), np.array([1.0]), np.repeat([1.0, 5.0], 300)])
def test_one_value_or_two_or_none_have_no_tenths(values: Floats) -> None:
    assert extremes(histogram(values, np.array([0.0, 2.0, 4.0, 6.0]))) == ()


@pytest.mark.parametrize("names_request", [True, False])
def test_the_query_runs(names_request: bool) -> None:
    log = example_slates().scale("outcomes", "value", by=0.02, rate=0.4)
    if not names_request:
        log = without_requests(log)
    found = findings(DETECTOR, log)
    assert found
    with duckdb.connect() as connection:
        for name in ("candidates", "outcomes"):
            connection.register(name, log.tables[name])
        assert connection.execute(found[0].query).fetchall()


def without_requests(log: ExampleLog) -> ExampleLog:
    """The log of a service whose outcomes know the member alone."""
    own = log.schema.tables["outcomes"]
    columns = tuple(one for one in own.columns if one.role != "request_id")
    outcomes = TableSchema("outcomes", columns, own.slices, label_window_days=own.label_window_days)
    tables = {**log.tables, "outcomes": log.tables["outcomes"].drop(columns="request_id")}
    return ExampleLog(tables, Schema({**log.schema.tables, "outcomes": outcomes}), log.days, log.seed)
