"""The rows of the view ``traced``: sampled candidates, and for each feature how it compares with its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.replay.another_key import of_another
from recsysops.replay.candidates import Candidates
from recsysops.replay.copies import LEAST_MATCH, copy_rate
from recsysops.replay.differences import CLASSES, SAME, ColumnDifferences, differences
from recsysops.replay.explanations import Mismatch, offset, ratio
from recsysops.replay.making import Making, of_number, of_time
from recsysops.replay.tracing import Traced, mismatch, older_values, trace
from recsysops.replay.upstream import Upstream
from recsysops.replay.values import Flags, Floats, comparable, is_same, micros
from recsysops.tables.schema import Schema, TableSchema
from recsysops.tables.table import Table
from recsysops.tables.views.traced import COLUMNS, sources_of
from recsysops.tables.views.traced import SAME as AS_IT_IS
from recsysops.tables.views.view import Folders

Names = npt.NDArray[np.object_]
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
    known: Names = np.full(len(one.chosen), None, object)
    values = _values(one, name)
    if values is None:
        return known
    mine, source, all_source = values
    at = micros(one.candidates.role("ts"))[one.chosen] / 1e6
    is_text = name in one.pairs and one.pairs[name][1].is_text
    is_settled = is_text or (name in copies and np.mean(is_same(mine, source)) >= LEAST_MATCH)
    making = None if is_settled else _best(_ways(one, name, others), mine, source, at)
    if making is not None and making.name != AS_IT_IS:
        near = making.is_near(mine, source, at)
        expected = making.make(source, at)
        pair = Mismatch(name, name, np.where(near, expected, mine), expected, is_of_another=another)
        if not near.all():
            older, seconds = older_values(one, all_source)
            pair = replace(pair, older=np.stack([making.make(values, at) for values in older]), older_seconds=seconds)
    elif name in one.pairs:
        sources = {column: one.source(column) for column in (*copies, name)}
        pair, making = replace(mismatch(one, name, sources), is_of_another=another), None
    else:  # a time that nothing is known to be made of
        return known
    [classes] = differences([pair])
    return _named(classes, making, (one.expected >= 0) & ~(np.isnan(pair.logged) & np.isnan(pair.source)))


def _copies(one: Traced) -> Iterator[str]:
    """Columns most of whose rows are what their source had, where that had a row."""
    there = one.expected >= 0
    for name, (_, both) in one.pairs.items():
        rate = copy_rate(name, "", both.logged[there], one.source(name)[there])
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


def _values(one: Traced, name: str) -> tuple[Floats, Floats, Floats] | None:
    """Logged, expected source (n_chosen,) and all source (n_upstream_rows,), times in seconds; None if they do not compare."""
    if name in one.pairs:
        both = one.pairs[name][1]
        return both.logged, one.source(name), both.source
    column = one.candidates.columns[name].take(pa.array(one.chosen))
    source = one.upstream.columns[one.lineage[name]]
    number = comparable(column, column)
    if number is None or number.is_text or not pa.types.is_timestamp(source.type):
        return None
    both = comparable(source, source)
    assert both is not None, "times compare with themselves"
    seconds = both.source / 1e6
    picked = np.where(one.expected >= 0, seconds[np.maximum(one.expected, 0)], np.nan)
    return number.logged, picked, seconds


def _spread(one: Traced, source: Floats, candidates: Candidates) -> Floats:
    """(n_candidates,), NaN for those that are not compared."""
    values = np.full(candidates.n_rows, np.nan)
    values[one.chosen] = source
    return values


def _named(found: ColumnDifferences, making: Making | None, is_compared: Flags) -> Names:
    words = np.array(CLASSES, object)
    if making is not None:
        words[SAME] = making.name
    names = words[found.classes]
    names[~is_compared] = None
    return names


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
