"""One column of one batch as the cell number of every row, whatever its Arrow type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.errors import SchemaError
from recsysops.profiles.bin_table import DEFAULTED, BinTable, Codes, overwrite_masked, overwrite_nulls
from recsysops.profiles.categories import CategorySet, as_labels, texts_of
from recsysops.profiles.fast_hash import hash_values
from recsysops.profiles.history import FREQUENCY_SPECIALS
from recsysops.statistics.compiled import compiled

FREQUENCY_NULL, FREQUENCY_DEFAULTED, NEW, OTHER = range(len(FREQUENCY_SPECIALS))


def numbers_of(array: pa.Array, name: str) -> npt.NDArray[Any]:
    """The values as numpy numbers without a copy where Arrow allows it, shape (n,); what stands at NULL is arbitrary.

    float32 stays; float16, decimals and booleans become float64.

    Raises:
        SchemaError: if the column is not numeric.
    """
    kind = array.type
    if not (pa.types.is_integer(kind) or pa.types.is_float32(kind) or pa.types.is_float64(kind)):
        array = _as_float64(array, name)
    data = array.buffers()[1]
    dtype = np.dtype(array.type.to_pandas_dtype())
    if data is None:
        return np.zeros(len(array), dtype)
    return np.frombuffer(data, dtype, count=len(array), offset=array.offset * dtype.itemsize)


def plain(array: pa.Array) -> pa.Array:
    """The values themselves, where a column comes as a dictionary of them."""
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _as_float64(array: pa.Array, name: str) -> pa.Array:
    kind = array.type
    if not (
        pa.types.is_boolean(kind) or pa.types.is_decimal(kind) or pa.types.is_float16(kind) or pa.types.is_null(kind)
    ):
        raise SchemaError(
            name, found=f"type {kind}", expected="numbers or booleans", next_step="declare its kind as categorical"
        )
    through = pc.cast(array, pa.uint8()) if pa.types.is_boolean(kind) else array
    return pc.cast(through, pa.float64(), safe=False)


def doubles_of(array: pa.Array, name: str) -> npt.NDArray[np.float64]:
    """The values as float64, NaN where there is none or it is no number; texts that say a number are that number."""
    kind = array.type.value_type if pa.types.is_dictionary(array.type) else array.type
    if pa.types.is_timestamp(kind):
        return np.full(len(array), np.nan)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        labels = as_labels(array, name)
        numbers = np.array([*map(_number, texts_of(labels.dictionary, name)), np.nan])
        places = pc.fill_null(labels.indices, len(labels.dictionary)).to_numpy(zero_copy_only=False)
        return np.asarray(numbers[places], np.float64)
    array = plain(array)
    doubles = numbers_of(array, name).astype(np.float64)
    if array.null_count:
        doubles[array.is_null().to_numpy(zero_copy_only=False)] = np.nan
    return doubles


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return np.nan


def mask_of(array: pa.Array, name: str) -> npt.NDArray[np.bool_]:
    """A companion mask as booleans, shape (n,): NULL is false, a number is true unless it is 0."""
    array = plain(array)
    if not pa.types.is_boolean(array.type):
        array = pc.not_equal(pa.array(numbers_of(array, name)), 0)
    return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False), np.bool_)


def histogram_codes(array: pa.Array, table: BinTable, default: float | None, mask: pa.Array | None, name: str) -> Codes:
    """Cells of a numeric column, shape (n,). NULL goes before the mask, the mask before NaN, infinities and bins."""
    array = plain(array)
    codes = table.codes(numbers_of(array, name), default)
    if mask is not None:
        overwrite_masked(codes, mask_of(mask, name), DEFAULTED)
    if array.null_count:
        _mark_nulls(codes, array)
    return codes


def _mark_nulls(codes: Codes, array: pa.Array) -> None:
    validity = array.buffers()[0]
    if validity is None:
        codes[array.is_null().to_numpy(zero_copy_only=False)] = 0
    else:
        overwrite_nulls(codes, validity, array.offset)


@compiled
def _look_up(places: Any, cells: Any, out: Any) -> None:
    n = cells.shape[0]
    for i in range(places.shape[0]):
        place = places[i]
        # Arrow leaves anything at NULL rows, so a place may lie outside the dictionary.
        out[i] = cells[place] if 0 <= place < n else 0


class CategoryCoder:
    """Cells of a categorical column; a dictionary is looked at once, however many batches share it."""

    def __init__(self, categories: CategorySet, default: str | None) -> None:
        self._categories = categories
        self._default = default
        self._cell: Mapping[str, int] = {
            category: len(FREQUENCY_SPECIALS) + index for index, category in enumerate(categories.categories)
        }
        self._top = pa.array(categories.categories, pa.string())
        self._last: tuple[pa.Array, Codes] | None = None

    def codes(self, labels: pa.DictionaryArray, mask: pa.Array | None, name: str) -> Codes:
        """Shape (n,): ``FREQUENCY_SPECIALS`` first, then the categories. NULL goes before the mask, the mask before the rest."""
        places = labels.indices
        cells = self._cells_of(labels.dictionary)
        out = np.empty(len(places), np.uint16)
        _look_up(numbers_of(places, name).astype(np.int32, copy=False), cells, out)
        if places.null_count:
            _mark_nulls(out, places)
        if mask is not None:
            overwrite_masked(out, mask_of(mask, name), FREQUENCY_DEFAULTED)
        return out

    def _cells_of(self, dictionary: pa.Array) -> Codes:
        if self._last is not None and _is_same(self._last[0], dictionary):
            return self._last[1]
        cells = self._cells_of_labels(dictionary)
        self._last = (dictionary, cells)
        return cells

    def _cells_of_labels(self, labels: pa.Array) -> Codes:
        top = pc.fill_null(pc.index_in(labels, value_set=self._top), -1).to_numpy(zero_copy_only=False)
        known = self._categories.known_hashes
        is_new = np.zeros(len(labels), np.bool_)
        if self._categories.is_complete and len(labels):
            hashes = hash_values(labels)
            near = np.minimum(np.searchsorted(known, hashes), max(len(known) - 1, 0))
            is_new = known[near] != hashes if len(known) else ~is_new
        cells = np.where(top >= 0, top + len(FREQUENCY_SPECIALS), np.where(is_new, NEW, OTHER)).astype(np.uint16)
        if self._default is not None:
            cells[pc.fill_null(pc.equal(labels, self._default), False).to_numpy(zero_copy_only=False)] = (
                FREQUENCY_DEFAULTED
            )
        cells[labels.is_null().to_numpy(zero_copy_only=False)] = FREQUENCY_NULL
        return cells


def _is_same(one: pa.Array, other: pa.Array) -> bool:
    """Whether both stand on the same memory, which cannot have changed while we hold on to it."""
    return len(one) == len(other) and one.offset == other.offset and _addresses(one) == _addresses(other)


def _addresses(array: pa.Array) -> list[int]:
    return [0 if buffer is None else buffer.address for buffer in array.buffers()]
