"""The bottom-k of requests by hash, one row of each, with the values of some columns.

The hash is `recsysops.profiles.fast_hash`, which knows nothing of partitions or batches: the same requests are sampled
everywhere and every day. Batches go by once; a row is looked at only if its request is among the k least so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.engines.per_request import requests_of
from recsysops.engines.prepared_rows import key_columns
from recsysops.profiles.coded_rows import CodedRows
from recsysops.profiles.column_codes import doubles_of, plain
from recsysops.profiles.fast_hash import Hashes, as_texts, hash_rows
from recsysops.profiles.measures import KeyedSample
from recsysops.profiles.profile import RowWriter
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.schema import TableSchema


def columns_of(measure: KeyedSample, schema: TableSchema) -> tuple[str, ...]:
    """The table's columns that the measure reads: its own, and those that pick the row within a request."""
    return tuple(dict.fromkeys([*measure.columns, *key_columns(schema)]))


@dataclass(frozen=True)
class _Held:
    """Rows of the sample so far, in order of day, request and row; ``values`` is (n, n_columns), the rest (n,)."""

    days: npt.NDArray[np.int64]
    requests: Hashes
    rows: Hashes
    names: npt.NDArray[Any]
    values: npt.NDArray[np.float64]

    def at(self, index: Any) -> _Held:
        return _Held(self.days[index], self.requests[index], self.rows[index], self.names[index], self.values[index])

    def and_(self, other: _Held) -> _Held:
        return _Held(
            np.concatenate([self.days, other.days]),
            np.concatenate([self.requests, other.requests]),
            np.concatenate([self.rows, other.rows]),
            np.concatenate([self.names, other.names]),
            np.concatenate([self.values, other.values]),
        )


class RequestSampler:
    """Samples one partition. A row's ``counts`` hold its request's hash (as signed 64 bits), its ``sums`` the values.

    Of each request the row whose key has the smallest hash is kept (of rows with one key, the one with the smallest
    values). Values that are not numbers, NULL and NaN are all NaN here; their rates are counted exactly as cells.
    """

    def __init__(self, measure_id: str, measure: KeyedSample, schema: TableSchema) -> None:
        self._measure_id = measure_id
        self._measure = measure
        self._key = key_columns(schema)
        self._request_key = () if schema.role("request_id") is not None else self._key
        self._thresholds: dict[int, np.uint64] = {}
        self._held: _Held | None = None

    def add(self, rows: CodedRows) -> None:
        """Take the rows of a batch."""
        requests, counts = requests_of(rows, self._request_key)
        near = np.flatnonzero(counts & (requests <= self._threshold(rows.days)))
        if not len(near):
            return
        days, requests = rows.days[near], requests[near]
        row_hashes = self._row_hashes(rows, near)
        least = least_rows(days, requests, row_hashes, self._measure.k)
        taken = self._take(rows, near[least], days[least], requests[least], row_hashes[least])
        held = taken if self._held is None else self._held.and_(taken)
        self._held = held.at(_without_ties(held, least_rows(held.days, held.requests, held.rows, self._measure.k)))
        self._note_thresholds(self._held)

    def _threshold(self, days: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
        """By row, the greatest hash that may still be sampled: (n,), or (1,) where one holds for all."""
        distinct, places = (days[:1], 0) if (days == days[:1]).all() else np.unique(days, return_inverse=True)
        highest = np.uint64(2**64 - 1)
        return np.array([self._thresholds.get(day, highest) for day in distinct.tolist()], np.uint64)[places]

    def _note_thresholds(self, held: _Held) -> None:
        for day, n in zip(*np.unique(held.days, return_counts=True), strict=True):
            if n >= self._measure.k:
                self._thresholds[int(day)] = held.requests[held.days == day].max()

    def _row_hashes(self, rows: CodedRows, near: npt.NDArray[np.intp]) -> Hashes:
        index = pa.array(near)
        return hash_rows([rows.batch.column(name).take(index) for name in self._key], len(near))

    def _take(
        self,
        rows: CodedRows,
        index: npt.NDArray[np.intp],
        days: npt.NDArray[np.int64],
        requests: Hashes,
        row_hashes: Hashes,
    ) -> _Held:
        names_read = dict.fromkeys([*self._measure.columns, *self._key])
        batch = rows.batch.select(list(names_read)).take(pa.array(index))
        if self._request_key or rows.request_ids is None:
            names = _key_texts([batch.column(name) for name in self._key])
        else:
            names = as_texts(plain(rows.request_ids.take(pa.array(index))))
        values = [doubles_of(batch.column(name), name) for name in self._measure.columns]
        return _Held(days, requests, row_hashes, np.array(names.to_pylist(), object), np.stack(values, axis=1))

    def write(self, _names: Sequence[Sequence[str]], writer: RowWriter) -> None:
        """Write the sample."""
        held = self._held
        if held is None:
            return
        for day, request, name, values in zip(
            held.days.tolist(), held.requests.view(np.int64).tolist(), held.names, held.values, strict=True
        ):
            writer.add(self._measure_id, day, EVERYTHING, key=name, counts=[request], sums=values)


def least_rows(days: npt.NDArray[np.int64], requests: Hashes, rows: Hashes, k: int) -> npt.NDArray[np.intp]:
    """Where the rows of the sample are, ordered by day, request and row.

    Args:
        days, requests, rows: of each row its day, its request's hash and its own, (n,) each, n > 0.
        k: how many requests of a day.

    Returns:
        Of each day's k requests with the smallest hashes the row with the smallest hash, or all that share it.
    """
    order = np.lexsort((rows, requests, days))
    days, requests, rows = days[order], requests[order], rows[order]
    is_new_day = np.append(True, days[1:] != days[:-1])
    is_new = is_new_day | np.append(True, requests[1:] != requests[:-1])
    number = np.cumsum(is_new) - 1
    rank = number - np.maximum.accumulate(np.where(is_new_day, number, 0))
    return np.asarray(order[(rank < k) & (rows == rows[is_new][number])])


def _without_ties(held: _Held, index: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """One row of each request: of rows that share a hash the one with the least values, NaN last."""
    best: dict[tuple[int, int], int] = {}
    days, requests = held.days[index], held.requests[index]
    is_same = np.append(False, (days[1:] == days[:-1]) & (requests[1:] == requests[:-1]))
    if not is_same.any():
        return index
    for place, day, request in zip(index.tolist(), days.tolist(), requests.tolist(), strict=True):
        known = best.setdefault((day, request), place)
        if _order(held.values[place]) < _order(held.values[known]):
            best[day, request] = place
    return np.fromiter(best.values(), np.intp)


def _order(values: npt.NDArray[np.float64]) -> list[tuple[bool, float]]:
    return [(value != value, 0.0 if value != value else value) for value in values.tolist()]


def _key_texts(columns: Sequence[pa.Array]) -> pa.Array:
    """Several values as one text; NULL is told from the empty text."""
    texts = [pc.fill_null(as_texts(plain(column)), "\0") for column in columns]
    return pc.binary_join_element_wise(*texts, "\x1f")
