"""The innermost loops: rows into groups, and the cells of each group into every slice that the group is part of.

A group is the rows of a batch that agree on period, bucket and every slice dimension. Rows are put in group order once
per batch, for all columns: a column's cells then fall into one small array that stays in the first-level cache, and only a
group's sums, not its rows, are added to the total and to each dimension's slice. Groups of a few rows skip the small
array. Against adding each row to each of five slices this costs about half.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from recsysops.statistics.compiled import compiled

_MIX = np.uint64(0x9E3779B97F4A7C15)
_UP = np.uint64(32)
MOMENTS = ("count", "sum", "sum_of_squares", "min", "max")


@compiled
def _agree(keys: Any, i: int, j: int) -> bool:
    for w in range(keys.shape[1]):  # noqa: SIM110 - numba compiles no generators
        if keys[i, w] != keys[j, w]:
            return False
    return True


@compiled
def _key_hash(keys: Any, i: int) -> Any:
    h = np.uint64(0)
    for w in range(keys.shape[1]):
        h = (h ^ keys[i, w]) * _MIX
        h ^= h >> _UP
    return h


@compiled
def group_rows(period: Any, keys: Any, group: Any, first: Any, table: Any) -> int:
    """Number the groups in order of appearance.

    Args:
        period: int32 (n,), negative for rows that belong to no group (they get −1).
        keys: uint64 (n, n_words), equal for the rows of a group and only for those.
        group: int32 (n,), written: the group of each row.
        first: int32 (n,), written: a row of each group.
        table: int32, a power of two of at least 2 n entries, all −1: the hash table, open addressing.

    Returns:
        The number of groups.
    """
    n_groups = 0
    slots = np.uint64(table.shape[0] - 1)
    for i in range(period.shape[0]):
        if period[i] < 0:
            group[i] = -1
            continue
        if i > 0 and _agree(keys, i, i - 1):
            group[i] = group[i - 1]
            continue
        slot = _key_hash(keys, i) & slots
        while table[slot] >= 0 and not _agree(keys, i, first[table[slot]]):
            slot = (slot + np.uint64(1)) & slots
        if table[slot] < 0:
            table[slot] = n_groups
            first[n_groups] = i
            n_groups += 1
        group[i] = table[slot]
    return n_groups


@compiled
def order_by_group(group: Any, starts: Any, order: Any) -> None:
    """A stable counting sort: ``starts`` int64 (n_groups + 2,) zeros, ``order`` int32 (number of grouped rows,).

    Afterwards the rows of group g are ``order[starts[g]:starts[g + 1]]``.
    """
    for i in range(group.shape[0]):
        if group[i] >= 0:
            starts[group[i] + 2] += 1
    for g in range(2, starts.shape[0]):
        starts[g] += starts[g - 1]
    for i in range(group.shape[0]):
        g = group[i]
        if g >= 0:
            order[starts[g + 1]] = i
            starts[g + 1] += 1


@compiled
def tally(codes: Any, order: Any, starts: Any, targets: Any, counts: Any) -> None:
    """Add every row to its cell in each of its group's targets.

    Args:
        codes: uint16 (n,), the cell of each row.
        order, starts: as `order_by_group` left them.
        targets: int64 (n_groups, n_targets), rows of ``counts``.
        counts: (n_rows, n_cells), added to.
    """
    n_groups, n_targets = targets.shape
    n_cells = counts.shape[1]
    small = np.zeros(n_cells, counts.dtype)
    for g in range(n_groups):
        start, stop = starts[g], starts[g + 1]
        if (stop - start) * 4 < n_cells:
            for i in range(start, stop):
                code = codes[order[i]]
                for t in range(n_targets):
                    counts[targets[g, t], code] += 1
            continue
        small[:] = 0
        for i in range(start, stop):
            small[codes[order[i]]] += 1
        for t in range(n_targets):
            row = counts[targets[g, t]]
            for c in range(n_cells):
                row[c] += small[c]


@compiled
def tally_moments(
    values: Any, codes: Any, lowest: int, shift: float, order: Any, starts: Any, targets: Any, out: Any
) -> None:
    """Add `MOMENTS` of the rows whose code is at least ``lowest`` (finite, not defaulted) to each of their targets.

    Sums are of x − ``shift`` and its square. ``out`` is float64 (n_rows, 5), with +inf and −inf where nothing was seen.
    """
    for g in range(targets.shape[0]):
        n, total, squares, least, most = 0.0, 0.0, 0.0, np.inf, -np.inf
        for i in range(starts[g], starts[g + 1]):
            if codes[order[i]] >= lowest:
                x = np.float64(values[order[i]])
                least, most = min(least, x), max(most, x)
                x -= shift
                n, total, squares = n + 1.0, total + x, squares + x * x
        for t in range(targets.shape[1]):
            row = out[targets[g, t]]
            row[0] += n
            row[1] += total
            row[2] += squares
            row[3], row[4] = min(row[3], least), max(row[4], most)
