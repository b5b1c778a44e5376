"""A fast 64-bit hash of Arrow values: the same on every machine and in every run, for profiles only.

Texts are hashed as their UTF-8 bytes (MurmurHash3's mixing, one lane), integers by splitmix64, floats as the bits of a
float64. An integer and its decimal text do not agree, so a column that changes type changes buckets. Anything that leaves the profiles (sampling,
ramps) uses the portable `recsysops.serving.hashing` instead, which is slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.errors import SchemaError
from recsysops.statistics.compiled import compiled

Hashes = npt.NDArray[np.uint64]

_C1, _C2 = np.uint64(0x87C37B91114253D5), np.uint64(0x4CF5AD432745937F)
_F1, _F2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_S1, _S2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_NULL = np.uint64(0x2545F4914F6CDD1D)
_GOLDEN, _FIVE, _ADD = np.uint64(0x9E3779B97F4A7C15), np.uint64(5), np.uint64(0x52DCE729)
_U8, _U27, _U30, _U31, _U33, _U37 = (np.uint64(shift) for shift in (8, 27, 30, 31, 33, 37))


@compiled
def _word(data: Any, start: Any) -> Any:
    """Eight bytes as a little-endian number, whatever the machine's own order; one load where that is the order."""
    word = np.uint64(0)
    for k in range(8):
        word |= np.uint64(data[start + np.uint64(k)]) << (_U8 * np.uint64(k))
    return word


@compiled
def _short_word(data: Any, start: Any, length: Any) -> Any:
    word = np.uint64(0)
    for k in range(length):
        word |= np.uint64(data[start + np.uint64(k)]) << (_U8 * np.uint64(k))
    return word


@compiled
def _stir(state: Any, word: Any) -> Any:
    word = word * _C1
    word = ((word << _U31) | (word >> _U33)) * _C2
    state ^= word
    return ((state << _U27) | (state >> _U37)) * _FIVE + _ADD


@compiled
def _hash_bytes(data: Any, start: Any, length: Any) -> Any:
    """Words of eight bytes; the last one may overlap the one before, which the length makes unambiguous."""
    state = np.uint64(0)
    if length < _U8:
        state = _stir(state, _short_word(data, start, length))
    else:
        last = start + length - _U8
        for _ in range((length - np.uint64(1)) // _U8):
            state = _stir(state, _word(data, start))
            start += _U8
        state = _stir(state, _word(data, last))
    state ^= length
    state = (state ^ (state >> _U33)) * _F1
    state = (state ^ (state >> _U33)) * _F2
    return state ^ (state >> _U33)


@compiled
def _same_bytes(data: Any, start: Any, other: Any, length: Any) -> bool:
    if length < _U8:
        return bool(_short_word(data, start, length) == _short_word(data, other, length))
    for _ in range((length - np.uint64(1)) // _U8):
        if _word(data, start) != _word(data, other):
            return False
        start += _U8
        other += _U8
    back = _U8 - (length - np.uint64(1)) % _U8 - np.uint64(1)  # the last word begins this much earlier
    return bool(_word(data, start - back) == _word(data, other - back))


@compiled
def _hash_texts(data: Any, offsets: Any, out: Any) -> None:
    before, length_before = np.uint64(0), np.uint64(0)
    for i in range(out.shape[0]):
        start = np.uint64(offsets[i])
        length = np.uint64(offsets[i + 1]) - start
        # Rows of a request lie together: comparing with the row before is cheaper than hashing again.
        if i > 0 and length == length_before and _same_bytes(data, start, before, length):
            out[i] = out[i - 1]
        else:
            out[i] = _hash_bytes(data, start, length)
        before, length_before = start, length


@compiled
def _combine(state: Any, hashes: Any) -> None:
    for i in range(state.shape[0]):
        h = _stir(state[i], hashes[i])
        h = (h ^ (h >> _U33)) * _F1
        state[i] = h ^ (h >> _U33)


def hash_integers(values: npt.NDArray[Any]) -> Hashes:
    """splitmix64 of integers, shape kept; equal numbers of different widths agree."""
    state = values.astype(np.int64, copy=False).view(np.uint64) + _GOLDEN
    state = (state ^ (state >> _U30)) * _S1
    state = (state ^ (state >> _U27)) * _S2
    return np.asarray(state ^ (state >> _U31), dtype=np.uint64)


def _bytes_of(array: pa.Array) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The bytes of a string or binary array, and the n + 1 offsets of its values in them."""
    is_large = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    width = np.dtype(np.int64 if is_large else np.int32)
    _, offsets, data = array.buffers()
    positions = np.frombuffer(offsets, dtype=width, count=len(array) + 1, offset=array.offset * width.itemsize)
    content = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, np.uint8)
    return content, positions.astype(np.int64, copy=False)


def hash_values(array: pa.Array) -> Hashes:
    """Hashes of an Arrow array of texts, binaries, integers or a dictionary of them, shape (n,).

    What stands at NULL rows is arbitrary. Floats agree where they are equal or both NaN; times agree in microseconds. Other
    types are hashed as their text.

    Raises:
        SchemaError: if values of this type cannot be written as text.
    """
    kind = array.type
    if len(array) == 0:
        return np.zeros(0, np.uint64)
    if pa.types.is_dictionary(kind):
        hashes = hash_values(array.dictionary)
        places = pc.fill_null(array.indices, 0).to_numpy(zero_copy_only=False)
        return hashes[places] if len(hashes) else np.zeros(len(array), np.uint64)
    if pa.types.is_integer(kind):
        return hash_integers(pc.fill_null(array, 0).to_numpy(zero_copy_only=False))
    if pa.types.is_float32(kind) or pa.types.is_float64(kind):
        return _hash_floats(pc.fill_null(array, 0.0).to_numpy(zero_copy_only=False))
    if pa.types.is_timestamp(kind):
        times = pc.cast(array, pa.timestamp("us", kind.tz), safe=False)
        return hash_integers(pc.fill_null(times.view(pa.int64()), 0).to_numpy(zero_copy_only=False))
    texts = array if _has_offsets(kind) else as_texts(array)
    out = np.empty(len(texts), np.uint64)
    _hash_texts(*_bytes_of(texts), out)
    return out


def _hash_floats(values: npt.NDArray[Any]) -> Hashes:
    numbers = values.astype(np.float64) + 0.0  # −0.0 becomes 0.0
    numbers[np.isnan(numbers)] = np.nan  # there are many NaNs, of which one is enough
    return hash_integers(numbers.view(np.int64))


def hash_rows(columns: Sequence[pa.Array], n_rows: int) -> Hashes:
    """One hash of several values per row, shape (n_rows,): NULLs agree with each other and with nothing else.

    Raises:
        SchemaError: if values of a type cannot be written as text.
    """
    state = np.zeros(n_rows, np.uint64)
    for column in columns:
        hashes = hash_values(column)
        if column.null_count:
            hashes[column.is_null().to_numpy(zero_copy_only=False)] = _NULL
        _combine(state, hashes)
    return state


def _has_offsets(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_string(kind) or types.is_large_string(kind) or types.is_binary(kind) or types.is_large_binary(kind)
    )


def as_texts(array: pa.Array, name: str = "column") -> pa.Array:
    """The values as an Arrow string array, NULLs kept.

    Raises:
        SchemaError: if values of this type cannot be written as text.
    """
    try:
        return array if pa.types.is_string(array.type) else pc.cast(array, pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise no_text(array.type, name) from error


def no_text(kind: pa.DataType, name: str = "column") -> SchemaError:
    """The error for values that cannot be written as text."""
    return SchemaError(
        name,
        found=f"values of type {kind} that are no text",
        expected="texts (UTF-8), numbers or booleans",
        next_step="export the column as text, or declare its kind as other",
    )
