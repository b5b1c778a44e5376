"""Columns of the logs as a model's matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from recsysops.errors import SchemaError
from recsysops.models.artifact import Artifact
from recsysops.tables.kinds import kind_of
from recsysops.tables.nearest import did_you_mean

Floats = npt.NDArray[np.float64]


def feature_matrix(artifact: Artifact, columns: Mapping[str, Any]) -> Floats:
    """The model's input: (n_rows, n_features), NaN where a value is missing or a category unknown.

    Args:
        artifact: says which columns, in which order, and how words are coded.
        columns: per feature a numpy or Arrow array of n_rows; others are left alone.

    Raises:
        SchemaError: if a feature is not among the columns, or holds texts and has no list of categories.
    """
    matrix = np.empty((_n_rows(artifact, columns), len(artifact.features)))
    for place, name in enumerate(artifact.features):
        values = numbers(columns[name], artifact.categories.get(name), f"model {artifact.model_id}: feature {name}")
        fill = artifact.fill.get(name)
        matrix[:, place] = values if fill is None else np.where(np.isnan(values), fill, values)
    return matrix


def numbers(values: Any, categories: tuple[str, ...] | None = None, where: str = "feature") -> Floats:
    """A column as float64, NaN where it is missing; with ``categories``, the place of each word, NaN for others.

    Args:
        values: (n,) numpy or Arrow array: numbers, flags, or texts (plain or dictionaries).

    Raises:
        SchemaError: if it holds neither numbers nor, where categories are given, texts.

    Example:
        >>> numbers(pa.array(["b", None, "z", "a"]), ("a", "b")).tolist()
        [1.0, nan, nan, 0.0]
    """
    if categories is None and isinstance(values, np.ndarray) and values.dtype.kind in "iufb":
        return values.astype(np.float64)
    array = as_array(values)
    if categories is not None:
        return _places(array, categories)
    if types.is_null(array.type):
        return np.full(len(array), np.nan)
    kind = kind_of(array.type)
    if kind not in ("numeric", "boolean"):
        raise SchemaError(
            where,
            found=f"{array.type} values",
            expected="numbers, or a list of categories in the model's schema file",
            next_step="add the list that the model was trained with",
        )
    array = array.dictionary_decode() if types.is_dictionary(array.type) else array
    array = array.cast(pa.int8()) if kind == "boolean" else array
    found: Floats = array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return found


def as_array(values: Any) -> pa.Array:
    """A numpy array, an Arrow array or a chunked one, as one Arrow array; None in an object array is NULL."""
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks()
    return values if isinstance(values, pa.Array) else pa.array(values)


def _places(array: pa.Array, categories: tuple[str, ...]) -> Floats:
    """Looked up word by word of the dictionary, not row by row."""
    if types.is_null(array.type):
        return np.full(len(array), np.nan)
    coded = array if types.is_dictionary(array.type) else pc.dictionary_encode(array)
    place = {word: float(number) for number, word in enumerate(categories)}
    words = coded.dictionary.cast(pa.string()).to_pylist()
    of_word = np.array([place.get(word, np.nan) for word in words] + [np.nan])
    found: Floats = of_word[pc.fill_null(coded.indices, len(words)).to_numpy(zero_copy_only=False)]
    return found


def _n_rows(artifact: Artifact, columns: Mapping[str, Any]) -> int:
    missing = [name for name in artifact.features if name not in columns]
    if missing:
        raise SchemaError(
            f"model {artifact.model_id}",
            found=f"no column for its feature {missing[0]!r}" + (f" and {len(missing) - 1} more" * (len(missing) > 1)),
            expected="every feature in the candidates' table",
            next_step=did_you_mean(missing[0], list(columns), "log the feature"),
        )
    return len(columns[artifact.features[0]])
