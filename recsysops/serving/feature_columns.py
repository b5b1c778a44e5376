"""Feature matrices of requests as columns of the log, with the three faces of missing apart: NULL, NaN, defaulted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from recsysops.serving.log_columns import Column, Flags
from recsysops.serving.log_schema import LogSchema
from recsysops.serving.served_request import ServedRequest


def feature_columns(requests: Sequence[ServedRequest], schema: LogSchema, sizes: Sequence[int]) -> dict[str, Column]:
    """By feature, (n_rows,) values as the model saw them and where there were none; then the masks of defaulted values.

    A request without features has NULL everywhere; one without a mask has NULL in the masks: nobody said.

    Args:
        sizes: candidates of each request.

    Raises:
        ValueError: if a matrix has another shape than (n_candidates, n_features), or is of a wider type than the schema's.
    """
    wanted = np.dtype(np.float64 if schema.is_double else np.float32)
    values, is_unknown = _stacked("features", requests, schema, sizes, wanted)
    is_absent, _ = _stacked("absent", requests, schema, sizes, np.dtype(bool))
    is_null = is_absent | is_unknown
    columns: dict[str, Column] = {
        name: (values[place], _if_any(is_null[place])) for place, name in enumerate(schema.features)
    }
    if schema.masks:
        is_default, is_unsaid = _stacked("defaulted", requests, schema, sizes, np.dtype(bool))
        for place, name in enumerate(schema.features):
            if name in schema.masks:
                columns[schema.masks[name]] = is_default[place], _if_any(is_unsaid)
    return columns


def _stacked(
    name: str, requests: Sequence[ServedRequest], schema: LogSchema, sizes: Sequence[int], wanted: np.dtype[Any]
) -> tuple[npt.NDArray[Any], Flags]:
    """(n_features, n_rows) entries of all requests, and (n_rows,) whether the request has no such matrix."""
    stacked = np.zeros((len(schema.features), sum(sizes)), wanted)
    is_unknown = np.zeros(sum(sizes), bool)
    start = 0
    for request, size in zip(requests, sizes, strict=True):
        given = getattr(request, name)
        if given is None:
            is_unknown[start : start + size] = True
        else:
            stacked[:, start : start + size] = _fitting(name, given, (size, len(schema.features)), wanted).T
        start += size
    return stacked, is_unknown


def _fitting(name: str, given: Any, shape: tuple[int, int], wanted: np.dtype[Any]) -> npt.NDArray[Any]:
    matrix = given if isinstance(given, np.ndarray) else np.asarray(given, wanted)
    if matrix.shape != shape:
        raise ValueError(f"{name}: found a matrix of shape {matrix.shape}, expected {shape}")
    if not np.can_cast(matrix.dtype, wanted, "safe"):
        raise ValueError(
            f"{name}: found {matrix.dtype}, expected {wanted}, or values would not be logged as they were seen"
        )
    return matrix


def _if_any(flags: Flags) -> Flags | None:
    return flags if flags.any() else None
