"""The columns of the serving log: one row is a candidate of a logged request, named by the roles of the data contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["text", "time", "number", "single", "integer", "flag"]
"""UTF-8; microseconds UTC; float64; float32; int64; true or false. Every column may have NULLs."""
REQUEST_COLUMNS: Mapping[str, Kind] = MappingProxyType(
    {
        "request_id": "text",
        "ts": "time",
        "member_id": "text",
        "model_id": "text",
        "override_generation": "integer",
        "sampling_rate": "number",
        "sampling_salt": "text",
        "seed": "integer",
        "feature_schema": "text",
        "host": "text",
        "client_version": "text",
        "consumer": "text",
        "experiment_arm": "text",
        "fallback": "flag",
        "latency_ms": "number",
        "error": "text",
        "overridden": "flag",
        "randomised": "flag",
        "promoted": "flag",
    }
)
"""The same on all rows of a request, besides the dimensions."""
CANDIDATE_COLUMNS: Mapping[str, Kind] = MappingProxyType(
    {
        "item_id": "text",
        "position": "integer",
        "shown": "flag",
        "raw_score": "number",
        "score": "number",
        "raw_rank": "integer",
        "final_rank": "integer",
        "propensity": "number",
        "candidate_source": "text",
        "filtered_by": "text",
        "price": "number",
    }
)
_NOT_ROLES = ("sampling_salt", "error", "overridden", "randomised", "promoted")


@dataclass(frozen=True)
class LogSchema:
    """What a recommender logs besides the columns that every log has.

    Example:
        >>> LogSchema(("market",), features=("age",), may_be_defaulted=("age",)).masks
        {'age': 'age_is_default'}
    """

    dimensions: tuple[str, ...] = ()
    """Names of a request's context."""
    features: tuple[str, ...] = ()
    """Names of the columns of a request's feature matrix, in order."""
    labels: tuple[str, ...] = ()
    """Names of features that are text."""
    may_be_defaulted: tuple[str, ...] = ()
    """Features with a companion column that is true where the value was defaulted."""
    version: str | None = None
    """Logged as ``feature_schema``."""
    is_double: bool = False
    """Whether features are float64; float32 otherwise."""

    def __post_init__(self) -> None:
        for name in ("dimensions", "features", "labels", "may_be_defaulted"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        strange = sorted(set(self.may_be_defaulted) - set(self.features))
        if strange:
            raise ValueError(f"log schema.may_be_defaulted: found {strange[0]!r}, expected names of features")
        given = (
            *REQUEST_COLUMNS,
            *CANDIDATE_COLUMNS,
            *self.dimensions,
            *self.features,
            *self.labels,
            *self.masks.values(),
        )
        twice = sorted({name for name in given if given.count(name) > 1})
        if twice:
            raise ValueError(f"log schema: found two columns named {twice[0]!r}, expected names of their own")
        if not all(isinstance(name, str) and name for name in given):
            raise ValueError(f"log schema: found {given!r}, expected names")

    @property
    def masks(self) -> dict[str, str]:
        """Companion column by feature."""
        return {name: f"{name}_is_default" for name in self.features if name in self.may_be_defaulted}

    def request_columns(self) -> dict[str, Kind]:
        """Kinds of the columns that are the same on all rows of a request."""
        return {**REQUEST_COLUMNS, **dict.fromkeys(self.dimensions, "text")}

    def candidate_columns(self, *, is_full: bool) -> dict[str, Kind]:
        """Kinds of the columns that differ by candidate; a thin log is without features."""
        if not is_full:
            return dict(CANDIDATE_COLUMNS)
        number: Kind = "number" if self.is_double else "single"
        return {
            **CANDIDATE_COLUMNS,
            **dict.fromkeys(self.features, number),
            **dict.fromkeys(self.labels, "text"),
            **dict.fromkeys(self.masks.values(), "flag"),
        }

    def workspace_table(self, folder: str) -> dict[str, Any]:
        """What ``tables.candidates`` says in a ``recsysops.yaml`` that reads this log.

        Args:
            folder: the folder ``candidates`` that the logger wrote, as the workspace sees it.
        """
        roles = [name for name in (*REQUEST_COLUMNS, *CANDIDATE_COLUMNS) if name not in _NOT_ROLES]
        return {
            "source": {"path": folder},
            "roles": {name: name for name in roles},
            "features": [*self.features, *self.labels],
            "slices": list(self.dimensions),
            "columns": {name: {"mask": mask} for name, mask in self.masks.items()},
        }
