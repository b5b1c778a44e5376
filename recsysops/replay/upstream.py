"""Upstream rows beside the candidates that used them: what serving should have seen, by lineage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.models.matrix import as_array
from recsysops.replay.as_of import NEVER, Timeline
from recsysops.replay.values import micros

Integers = npt.NDArray[np.int64]
ENTITY = {"item_features": "item_id", "member_features": "member_id", "items": "item_id"}
"""Upstream tables, and the role of candidates that holds their key."""
KEY = {"item_features": "key", "member_features": "key", "items": "item_id"}


@dataclass(frozen=True)
class Upstream:
    """Rows of an upstream table. Rows without a key or an as-of time are never seen."""

    table: str
    keys: pa.Array
    as_of: Any
    available_at: Any | None
    columns: Mapping[str, Any]

    @cached_property
    def _coded(self) -> tuple[Integers, pa.Array]:
        """Number of each row's entity, and the entities."""
        texts = self.keys.cast(pa.string())
        coded = pc.dictionary_encode(texts)
        return pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy(zero_copy_only=False).astype(
            np.int64
        ), coded.dictionary

    @property
    def entity(self) -> Integers:
        """(n_rows,) number of each row's entity."""
        return self._coded[0]

    @property
    def names(self) -> pa.Array:
        """The entities' keys by number."""
        return self._coded[1]

    @cached_property
    def times(self) -> Integers:
        """(n_rows,) as-of times in microseconds."""
        return micros(self.as_of)

    @cached_property
    def timeline(self) -> Timeline:
        """The rows, ready to be asked."""
        seen = None if self.available_at is None else micros(self.available_at)
        if seen is not None:
            seen = np.where(seen == NEVER, self.times, seen)  # not told: readable at once
        return Timeline.of(self.entity, self.times, seen)

    def rows(self, keys: Any, at: Any) -> Integers:
        """The upstream row that serving could see for each candidate, -1 for none.

        Args:
            keys: (n,) ids of items or members as the log has them.
            at: (n,) times of the requests.
        """
        texts = as_array(keys)
        texts = texts.dictionary_decode() if pa.types.is_dictionary(texts.type) else texts
        found = pc.index_in(texts.cast(pa.string()), value_set=self.names)
        number = pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
        when = micros(at)
        return self.timeline.rows(np.where(when == NEVER, -1, number), when)
