"""Rows of the log, made on the writer's thread from the references that requests handed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsysops.serving.feature_columns import feature_columns
from recsysops.serving.log_columns import Column, numbers_of_candidates, of_requests, texts_of_candidates
from recsysops.serving.log_schema import CANDIDATE_COLUMNS, LogSchema
from recsysops.serving.sampler import Decision
from recsysops.serving.served_request import ServedRequest


@dataclass(frozen=True, slots=True)
class Kept:
    """A request on its way into the log."""

    request: ServedRequest
    decision: Decision
    ts_us: int
    member: str | None


@dataclass(frozen=True)
class Batch:
    """Rows of whole requests, column by column, in no format yet."""

    n_rows: int
    request: npt.NDArray[np.int32]
    """(n_rows,) number of each row's request."""
    by_request: Mapping[str, Column]
    """(n_requests,) what is the same on all rows of a request."""
    by_candidate: Mapping[str, Column]
    """(n_rows,) the rest."""


def batch_of(kept: Sequence[Kept], schema: LogSchema, host: str, *, is_full: bool) -> Batch:
    """The rows of requests, with features or thin.

    Raises:
        ValueError, TypeError, OverflowError: if a column does not have one entry per candidate, a value is not of its kind, or
            a feature would lose precision.
    """
    requests = [one.request for one in kept]
    sizes = [len(one.item_id) for one in requests]
    columns: dict[str, Column] = {}
    for name, kind in CANDIDATE_COLUMNS.items():
        if name == "shown":
            columns[name] = ~columns["position"][1], None  # type: ignore[operator]
        elif kind == "text":
            columns[name] = texts_of_candidates(name, [getattr(one, name) for one in requests], sizes)
        else:
            columns[name] = numbers_of_candidates(name, kind, [getattr(one, name) for one in requests], sizes)
    if is_full:
        columns.update(feature_columns(requests, schema, sizes))
        for name in schema.labels:
            columns[name] = texts_of_candidates(name, [one.labels.get(name) for one in requests], sizes)
    values = zip(*(_request_values(one, schema, host, is_full=is_full) for one in kept), strict=True)
    kinds = schema.request_columns()
    by_request = {
        name: of_requests(name, kind, list(held)) for (name, kind), held in zip(kinds.items(), values, strict=True)
    }
    return Batch(sum(sizes), np.repeat(np.arange(len(kept), dtype=np.int32), sizes), by_request, columns)


def _request_values(kept: Kept, schema: LogSchema, host: str, *, is_full: bool) -> list[Any]:
    """In the order of ``LogSchema.request_columns``."""
    request, decision = kept.request, kept.decision
    return [
        request.request_id,
        kept.ts_us,
        kept.member,
        request.model_id,
        request.override_generation,
        decision.sampling_rate if is_full else decision.thin_rate,
        decision.salt,
        request.seed,
        schema.version,
        request.host or host,
        request.client_version,
        request.consumer,
        request.experiment_arm,
        bool(request.fallback),
        request.latency_ms,
        request.error,
        bool(request.overridden),
        bool(request.randomised),
        decision.is_promoted,
        *(request.context.get(name) for name in schema.dimensions),
    ]
