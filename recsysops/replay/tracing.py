"""Logged features beside their as-of sources, column by column."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsysops.models.matrix import as_array, numbers
from recsysops.replay.another_key import of_another
from recsysops.replay.candidates import Candidates
from recsysops.replay.copies import CopyRate, copy_rate
from recsysops.replay.differences import ColumnDifferences, differences
from recsysops.replay.explanations import MOST_LAG, Mismatch
from recsysops.replay.upstream import ENTITY, Upstream
from recsysops.replay.values import Comparable, Floats, comparable, is_same, micros

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Traced:
    """The features of some candidates that come from one upstream table."""

    upstream: Upstream
    candidates: Candidates
    chosen: Integers
    """Row numbers of the candidates compared: those served when the table already had rows."""
    expected: Integers
    """(n_chosen,) the upstream row that serving could see, -1 for none."""
    pairs: Mapping[str, tuple[str, Comparable]]
    """Per logged column: the upstream column and both on one scale (``logged`` of the chosen, ``source`` of all rows)."""
    lineage: Mapping[str, str] = field(default_factory=dict)
    """The upstream column of each logged column, comparable or not."""

    def source(self, column: str) -> Floats:
        """(n_chosen,) what the source had at the time."""
        return _picked(self.pairs[column][1].source, self.expected)


def trace(candidates: Candidates, upstream: Upstream, lineage: Mapping[str, str]) -> Traced:
    """Fetch, as of each request, the upstream rows of its items or its member.

    Args:
        lineage: upstream column of each logged column.
    """
    ids, at = candidates.role(ENTITY[upstream.table]), candidates.role("ts")
    moments = upstream.timeline.moments
    if ids is None or not len(moments):
        nothing = np.empty(0, np.int64)
        return Traced(upstream, candidates, nothing, nothing, {}, lineage)
    chosen = np.flatnonzero(micros(at) >= moments[0])
    places = pa.array(chosen)
    expected = upstream.rows(as_array(ids).take(places), as_array(at).take(places))
    pairs = {}
    for column, source in lineage.items():
        if column in candidates.columns and source in upstream.columns:
            both = comparable(as_array(candidates.columns[column]).take(places), upstream.columns[source])
            if both is not None:
                pairs[column] = (source, both)
    return Traced(upstream, candidates, chosen, expected, pairs, lineage)


def copy_rates(traced: Traced) -> tuple[CopyRate, ...]:
    """How often each feature was what its source had; the day is the group."""
    days = micros(traced.candidates.role("ts"))[traced.chosen] // 86_400_000_000
    group = np.unique(days, return_inverse=True)[1].astype(np.int64)
    return tuple(
        copy_rate(
            column, f"{traced.upstream.table}.{source}", both.logged, traced.source(column), group, both.tolerance
        )
        for column, (source, both) in traced.pairs.items()
    )


def feature_differences(traced: Traced, copies: Collection[str]) -> tuple[ColumnDifferences, ...]:
    """Tell what is different in each copied column, rows as in ``traced.chosen``."""
    copied = [column for column in traced.pairs if column in copies]
    sources = {column: traced.source(column) for column in copied}
    another = of_another([traced.pairs[column][1] for column in copied], traced.expected, traced.upstream.entity)
    pairs = (replace(mismatch(traced, column, sources), is_of_another=another) for column in copied)
    return tuple(one for pair in pairs for one in differences([pair]))


def differing_rows(traced: Traced, found: Collection[ColumnDifferences]) -> npt.NDArray[np.bool_]:
    """(n_candidates,) rows in which any copied feature is not what its source had."""
    flags = np.zeros(traced.candidates.n_rows, bool)
    for column in found:
        flags[traced.chosen[column.classes > 0]] = True
    return flags


def mismatch(traced: Traced, column: str, sources: Mapping[str, Floats]) -> Mismatch:
    """A copied column beside its source, with all that may explain a difference; ``sources`` are those of the table's copies."""
    source, both = traced.pairs[column]
    stated = traced.candidates.schema.column(column)
    pair = Mismatch(
        column, f"{traced.upstream.table}.{source}", both.logged, sources[column], both.is_text, both.tolerance
    )
    default = stated.default if stated is not None else None
    mask = stated.mask if stated is not None else None
    if mask is not None and mask in traced.candidates.columns:
        pair = replace(pair, is_defaulted=numbers(traced.candidates.columns[mask])[traced.chosen] == 1)
    elif default is not None:
        pair = replace(pair, default=_on_scale(default, both))
    if is_same(both.logged, sources[column], both.tolerance).all():
        return pair
    older, seconds = older_values(traced, both.source)
    same_kind = {name: values for name, values in sources.items() if name != column and _is_like(traced, name, both)}
    return replace(pair, older=older, older_seconds=seconds, others=same_kind)


def _is_like(traced: Traced, name: str, both: Comparable) -> bool:
    """Texts are compared by the numbers of one list of words, numbers with numbers."""
    other = traced.pairs[name][1]
    return not both.is_text and not other.is_text


def older_values(traced: Traced, source: Floats) -> tuple[Floats, Floats]:
    """What the source had one, two, … versions before, and how much older those are: (n_versions, n_chosen) each."""
    values, seconds = zip(*_versions(traced, source), strict=True)
    return np.stack(values), np.stack(seconds)


def _versions(traced: Traced, source: Floats) -> Iterator[tuple[Floats, Floats]]:
    times = traced.upstream.times
    for step in range(1, MOST_LAG + 1):
        rows = traced.upstream.timeline.earlier(traced.expected, step)
        age = (times[traced.expected] - times[rows]) / 1e6
        yield _picked(source, rows), np.where(rows >= 0, age, np.nan)
        if np.all(rows < 0):
            return


def _picked(values: Floats, rows: Integers) -> Floats:
    return np.where(rows >= 0, values[np.maximum(rows, 0)], np.nan)


def _on_scale(default: float | str, both: Comparable) -> float | None:
    if not both.is_text:
        return float(default) if not isinstance(default, str) else None
    return float(both.words.index(str(default))) if str(default) in both.words else None
