"""What is packed comes out again, whatever the chunks it was cut into."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.profiles.byte_planes import packed, unpacked

COUNTS = st.integers(0, 2**31 - 1) | st.integers(0, 300)
TABLES = st.integers(1, 7).flatmap(lambda width: st.lists(st.lists(COUNTS, min_size=width, max_size=width), min_size=1))


@settings(deadline=None)
@given(TABLES, st.integers(0, 5))
def test_they_come_out_again(rows: list[list[int]], cut: int) -> None:
    column = pa.array([packed(np.array(row)) for row in rows], pa.binary())
    width = len(rows[0])
    assert unpacked(column, width).tolist() == rows
    assert unpacked(pa.chunked_array([column[:cut], column[cut:]]), width).tolist() == rows
    assert unpacked(column[cut:], width).tolist() == rows[cut:]


def test_what_does_not_fit_is_refused() -> None:
    for wrong in ([2**31], [-1]):
        with pytest.raises(ValueError, match="expected 0 to 2147483647"):
            packed(wrong)
    with pytest.raises(ValueError, match="expected 3 in each"):
        unpacked(pa.array([packed([1, 2])]), 3)
