"""What was known of items (or members) before anything was shown: the only ground on which peers are chosen.

Scores, impressions, plays and the feature under test must stay out: peers chosen by what happened would have suffered with the
subject, and the comparison would show nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.errors import NotEnoughDataError
from recsysops.tables.clocks import UTC_TYPE
from recsysops.tables.kinds import kind_of
from recsysops.tables.nearest import did_you_mean

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
MOST_DISTINCT = 0.5
"""A text whose values are distinct in more than this share of rows is a name, not an attribute."""


@dataclass(frozen=True)
class Metadata:
    """Attributes of n entities."""

    keys: tuple[str, ...]
    numbers: Floats
    """(n, n_numbers), NaN where missing."""
    number_names: tuple[str, ...]
    codes: Integers
    """(n, n_categories): number of the value within its attribute, -1 where missing."""
    code_names: tuple[str, ...]
    words: Mapping[str, tuple[str, ...]]
    """The values of each category, by number."""

    @property
    def names(self) -> tuple[str, ...]:
        """Numbers first, then categories."""
        return (*self.number_names, *self.code_names)

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {key: place for place, key in enumerate(self.keys)}

    def place(self, key: str) -> int:
        """Row of an entity.

        Raises:
            NotEnoughDataError: if it is not known.
        """
        found = self._places.get(key)
        if found is None:
            raise NotEnoughDataError(
                f"peers of {key!r}",
                found="nothing known of it at that time",
                expected="an entry in the catalogue",
                next_step=did_you_mean(key, list(self.keys), "check its id"),
            )
        return found


def metadata(keys: Any, columns: Mapping[str, Any], *, leave_out: Collection[str] = ()) -> Metadata:
    """Choose what can tell entities apart among their attributes.

    Numbers, flags and times (in days) become numbers, texts become categories. Attributes that never vary, names (texts
    that hardly repeat) and columns of other types are left alone.

    Args:
        keys: (n,) ids.
        columns: arrays (n,) by name; pre-exposure attributes only, which is the caller's to know.
        leave_out: names not to be used, such as the feature under test.
    """
    numbers, codes, words = {}, {}, {}
    for name, values in columns.items():
        array = _array(values)
        kind = kind_of(array.type)
        if name in leave_out or kind == "other" or len(pc.unique(array).drop_null()) < 2:
            continue
        if kind in ("numeric", "boolean", "timestamp"):
            numbers[name] = _numbers(array)
        elif kind == "categorical":
            coded = pc.dictionary_encode(array.cast(pa.string()))
            known = coded.dictionary.to_pylist()
            if len(known) <= max(2, MOST_DISTINCT * (len(array) - array.null_count)):
                codes[name] = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
                words[name] = tuple(known)
    n = len(_array(keys))
    return Metadata(
        tuple(_array(keys).cast(pa.string()).to_pylist()),
        np.column_stack([*numbers.values()]) if numbers else np.empty((n, 0)),
        tuple(numbers),
        np.column_stack([*codes.values()]) if codes else np.empty((n, 0), np.int64),
        tuple(codes),
        words,
    )


def _array(values: Any) -> pa.Array:
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    array = array if isinstance(array, pa.Array) else pa.array(array)
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _numbers(array: pa.Array) -> Floats:
    if kind_of(array.type) == "timestamp":
        days: Floats = array.cast(UTC_TYPE).cast(pa.int64()).cast(pa.float64()).to_numpy(zero_copy_only=False)
        return days / 86_400e6
    plain = array.cast(pa.int8()) if pa.types.is_boolean(array.type) else array
    found: Floats = plain.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(found), found, np.nan)
