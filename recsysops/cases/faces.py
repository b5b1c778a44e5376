"""Features without a value, by the three faces of missing (NULL, NaN, defaulted), in a subject's requests and in those of others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.cases.as_of_checks import AsOfCheck
from recsysops.cases.subject_requests import Rank, SubjectRequests
from recsysops.models.matrix import as_array, numbers
from recsysops.replay.candidates import Candidates
from recsysops.tables.schema import Column

Flags = npt.NDArray[np.bool_]
Face = Literal["NULL", "NaN", "defaulted"]
LEAST_OTHERS = 30
LEAST_EXCESS = 0.2
"""Share of rows by which the subject must be above the strangest of the others, where others lack values too."""
OF_REQUEST = 0.95
"""Share of requests in which a feature has one value, for it to belong to the member or the request and not to items."""


@dataclass(frozen=True)
class FaceCheck:
    """One face of one feature."""

    feature: str
    face: Face
    rank: Rank
    """Of the share of rows that have it."""
    n_rows: int
    """The subject's rows that have it."""
    is_of_request: bool
    """One value for all rows of a request: a member of whom nothing is known yet has none, rightly."""
    agrees: bool
    """The feature is followed to its source, which has no value either."""

    @property
    def is_odd(self) -> bool:
        """Whether hardly any other has it, and the source does not say that it is right."""
        if self.agrees or not self.n_rows or self.rank.n_others < LEAST_OTHERS or not self.rank.is_beyond:
            return False
        return self.rank.most == 0 or self.rank.own - self.rank.most >= LEAST_EXCESS

    @property
    def words(self) -> str:
        """For people."""
        others = f"{100 * self.rank.usual:.2g} % of others' rows on usual days (p {self.rank.p_value:.2g})"
        return f"{self.feature} is {self.face} in {100 * self.rank.own:.0f} % of the rows, {others}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        rank = self.rank
        return {
            "feature": self.feature,
            "face": self.face,
            "n_rows": self.n_rows,
            "share": rank.own,
            "usual": rank.usual,
            "most": rank.most,
            "same_days": rank.nearby,
            "p_value": rank.p_value,
            "n_others": rank.n_others,
            "source_agrees": self.agrees,
        }


def face_checks(requests: SubjectRequests, checks: Sequence[AsOfCheck]) -> tuple[FaceCheck, ...]:
    """Every face that the subject's rows show, the strangest first.

    Args:
        checks: the same features beside their sources.
    """
    right = {one.feature for one in checks if one.is_followed and not one.is_wrong}
    found = []
    for column in requests.rows.schema.features:
        for face, flags in faces(requests.rows, column):
            n = int((flags & requests.is_own_row).sum())
            if n:
                of_request = _is_of_request(requests, column.name)
                rank = requests.rank(requests.share(flags))
                found.append(FaceCheck(column.name, face, rank, n, of_request, column.name in right))
    return tuple(sorted(found, key=lambda one: (not one.is_odd, one.rank.p_value, one.feature)))


def faces(rows: Candidates, column: Column) -> Iterator[tuple[Face, Flags]]:
    """The rows that have each face, (n_rows,)."""
    if column.name not in rows.columns:
        return
    array = as_array(rows.columns[column.name])
    yield "NULL", array.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_floating(array.type):
        yield "NaN", pc.fill_null(pc.is_nan(array), False).to_numpy(zero_copy_only=False)
    if column.mask is not None and column.mask in rows.columns:
        yield "defaulted", numbers(rows.columns[column.mask]) == 1
    elif column.default is not None and column.kind == "numeric" and not isinstance(column.default, str):
        yield "defaulted", numbers(array) == column.default


def _is_of_request(requests: SubjectRequests, feature: str) -> bool:
    """Learned from others, where values are there."""
    rows = requests.rows
    array = as_array(rows.columns[feature])
    coded = pc.dictionary_encode(array.dictionary_decode() if pa.types.is_dictionary(array.type) else array)
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    chosen = ~requests.is_own_row & (codes >= 0)
    pairs = np.unique(np.column_stack([rows.request[chosen], codes[chosen]]), axis=0)
    n_values = np.bincount(pairs[:, 0]) if len(pairs) else np.zeros(0)
    n_rows = np.bincount(rows.request[chosen]) if chosen.any() else np.zeros(0)
    several = n_rows > 1
    return bool(several.any() and np.mean(n_values[several] == 1) >= OF_REQUEST)
