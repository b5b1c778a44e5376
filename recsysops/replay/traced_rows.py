"""The rows of the view ``traced``: sampled candidates, and for each feature how it compares with its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.models.matrix import numbers
from recsysops.replay.another_key import of_another
from recsysops.replay.as_of import NEVER
from recsysops.replay.candidates import Candidates
from recsysops.replay.copies import LEAST_MATCH, copy_rate
from recsysops.replay.differences import CLASSES, SAME, differences
from recsysops.replay.explanations import Mismatch, offset, ratio
from recsysops.replay.making import LEAST_ROWS, Making, of_number, of_time
from recsysops.replay.tracing import Traced, mismatch, older_values, trace
from recsysops.replay.upstream import Upstream
from recsysops.replay.values import Flags, Floats, is_same, micros
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.table import Table
from recsysops.tables.views.traced import COLUMNS, sources_of
from recsysops.tables.views.traced import SAME as AS_IT_IS
from recsysops.tables.views.view import Folders

Names = npt.NDArray[np.object_]
OF_TWO = "difference"
"""Says nothing where either source has no value: the other one may have had no row."""
Values = tuple[Floats, Floats, Floats]
MOSTLY = 0.5
"""Share of rows that a way of making a feature must explain to be taken for it."""


def traced_rows(queried: pa.Table, tables: Mapping[str, Table], _folders: Folders) -> pa.Table:
    """One row for each sampled candidate.

    Args:
        queried: what the view's query gives: candidates, and the rows of each upstream table.
        tables: of the workspace, for their schemas.
    """
    schemas = Schema({name: table.schema for name, table in tables.items()})
    sampled = queried.filter(pc.equal(queried["of"], "candidates"))
    candidates = _candidates(sampled, schemas.tables["candidates"])
    traced = [
        trace(candidates, _upstream(queried, name, of_table), of_table)
        for name, of_table in sources_of(schemas).items()
    ]
    columns = {name: sampled[name] for name in COLUMNS}
    columns |= {name: pa.array(values, pa.string()) for name, values in compared(traced, candidates).items()}
    for name in sampled.column_names:
        if name.startswith("slice "):
            columns[name.removeprefix("slice ")] = sampled[name]
    return pa.table(columns)


def compared(traced: list[Traced], candidates: Candidates) -> dict[str, Names]:
    """Per feature and candidate: ``same``, how it is made of its source, the class of difference, or None without a comparison."""
    copies = {one.upstream.table: list(_copies(one)) for one in traced}
    others = {
        f"{one.upstream.table}.{one.pairs[name][0]}": _spread(one, one.source(name), candidates)
        for one in traced
        for name in copies[one.upstream.table]
        if not one.pairs[name][1].is_text
    }
    found: dict[str, Names] = {}
    for one in traced:
        own = copies[one.upstream.table]
        another = of_another([one.pairs[name][1] for name in own], one.expected, one.upstream.entity)
        for name in one.lineage:
            names: Names = np.full(candidates.n_rows, None, object)
            names[one.chosen] = _column(one, name, own, another, {key: of[one.chosen] for key, of in others.items()})
            found[name] = names
    return found


def _column(one: Traced, name: str, copies: list[str], another: Flags, others: Mapping[str, Floats]) -> Names:
    """(n_chosen,)."""
    values = _values(one, name)
    if values is None or (name not in copies and np.count_nonzero(~np.isnan(values[1])) < LEAST_ROWS):
        return np.full(len(one.chosen), None, object)  # too few rows to tell what is made of what
    making = _making(one, name, copies, values, others)
    if making is not None:
        pair = _made(one, name, making, values)
    elif name in one.pairs:
        pair = mismatch(one, name, {column: one.source(column) for column in (*copies, name)})
    else:  # a time, and numbers that are nothing of it
        number = np.where(np.isnan(values[1]), np.nan, np.inf)
        pair = Mismatch(name, name, values[0], number, is_text=True)
    [found] = differences([replace(pair, is_of_another=another)])
    words = np.array(CLASSES, object)
    words[SAME] = AS_IT_IS if making is None else making.name
    names = words[found.classes]
    nothing = np.isnan(pair.source) & (np.isnan(pair.logged) | (making is not None and making.name == OF_TWO))
    names[(one.expected < 0) | nothing] = None
    return names


def _made(one: Traced, name: str, making: Making, values: Values) -> Mismatch:
    """The logged feature beside what it would be, made of its source and of the source's older versions."""
    mine, source, all_source = values
    at = _seconds(one)
    near, expected = making.is_near(mine, source, at), making.make(source, at)
    stated = one.candidates.schema.column(name)
    default = stated.default if stated is not None and not isinstance(stated.default, str) else None
    pair = Mismatch(name, name, np.where(near, expected, mine), expected, default=default)
    if near.all():
        return pair
    older, seconds = older_values(one, all_source)
    return replace(pair, older=np.stack([making.make(version, at) for version in older]), older_seconds=seconds)


def _making(one: Traced, name: str, copies: list[str], values: Values, others: Mapping[str, Floats]) -> Making | None:
    """How the feature is made of its source, None for a copy or where nothing fits."""
    mine, source, _ = values
    if name in one.pairs:
        both = one.pairs[name][1]
        if both.is_text or (name in copies and np.mean(is_same(mine, source, both.tolerance)) >= LEAST_MATCH):
            return None
    best = _best(_ways(one, name, others), mine, source, _seconds(one))
    return None if best is None or best.name == AS_IT_IS else best


def _copies(one: Traced) -> Iterator[str]:
    """Columns most of whose rows are what their source had, where that had a row."""
    there = one.expected >= 0
    for name, (_, both) in one.pairs.items():
        rate = copy_rate(name, "", both.logged[there], one.source(name)[there], tolerance=both.tolerance)
        if rate.match_rate >= MOSTLY:
            yield name


def _best(ways: list[Making], mine: Floats, source: Floats, at: Floats) -> Making | None:
    """The way that explains most rows, and more than half of them: exactly, or else in another unit or from another zero."""
    for rate in (_exactly, _after_a_shift):
        rates = [rate(way, mine, source, at) for way in ways]
        if rates and max(rates) >= MOSTLY:
            return ways[int(np.argmax(rates))]
    return None


def _exactly(way: Making, mine: Floats, source: Floats, at: Floats) -> float:
    return way.match_rate(mine, source, at)


def _after_a_shift(way: Making, mine: Floats, source: Floats, at: Floats) -> float:
    known = ~(np.isnan(mine) | np.isnan(source))
    pair = Mismatch("", "", mine, way.make(source, at))
    found = [int(one.covers.sum()) for explain in (offset, ratio) if (one := explain(pair, known)) is not None]
    return max(found, default=0) / max(1, int(known.sum()))


def _ways(one: Traced, name: str, others: Mapping[str, Floats]) -> list[Making]:
    if name not in one.pairs:
        return list(of_time())
    own = f"{one.upstream.table}.{one.pairs[name][0]}"
    return list(of_number({key: values for key, values in others.items() if key != own}))


def _values(one: Traced, name: str) -> Values | None:
    """Logged, expected source (n_chosen,) and all source (n_upstream_rows,), times in seconds; None if they do not compare."""
    if name in one.pairs:
        both = one.pairs[name][1]
        return both.logged, one.source(name), both.source
    column = one.candidates.columns.get(name)
    source = one.upstream.columns[one.lineage[name]]
    if column is None or not pa.types.is_floating(column.type) or not pa.types.is_timestamp(source.type):
        return None
    times = micros(source)
    seconds = np.where(times == NEVER, np.nan, times / 1e6)
    picked = np.where(one.expected >= 0, seconds[np.maximum(one.expected, 0)], np.nan)
    return numbers(column)[one.chosen], picked, seconds


def _spread(one: Traced, source: Floats, candidates: Candidates) -> Floats:
    """(n_candidates,), NaN for those that are not compared."""
    values = np.full(candidates.n_rows, np.nan)
    values[one.chosen] = source
    return values


def _seconds(one: Traced) -> Floats:
    """(n_chosen,) when the candidates were served, in seconds since 1970."""
    seconds: Floats = micros(one.candidates.role("ts"))[one.chosen] / 1e6
    return seconds


def _candidates(sampled: pa.Table, base: TableSchema) -> Candidates:
    columns = {}
    for column in base.columns:
        name = f"feature {column.name}" if column.role not in COLUMNS else str(column.role)
        if name in sampled.column_names:
            columns[column.name] = sampled[name].combine_chunks()
    return Candidates(columns, base)


def _upstream(queried: pa.Table, table: str, sources: Mapping[str, str]) -> Upstream:
    rows = queried.filter(pc.equal(queried["of"], table)).combine_chunks()
    columns = {name: rows[f"{table} {name}"].combine_chunks() for name in sources.values()}
    seen = rows["available_at"]
    return Upstream(
        table,
        rows["key"].combine_chunks(),
        rows["as_of"].combine_chunks(),
        None if seen.null_count == len(seen) else seen.combine_chunks(),
        columns,
    )
