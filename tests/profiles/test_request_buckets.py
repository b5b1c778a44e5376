"""Request buckets: whole requests, even shares, the same everywhere."""

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats

from recsysops.profiles.request_buckets import request_buckets

N = 40_000


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([f"r-{k}" for k in range(N)]),
        pa.array([f"2026-01-01/{k:036d}" for k in range(N)], pa.large_string()),
        pa.array(range(N)),
        pa.array(range(0, N * 1024, 1024), pa.uint32()),
        pa.nulls(N, pa.string()),
        None,
    ],
)
def test_even_shares(ids: pa.Array | None) -> None:
    counts = np.bincount(request_buckets(ids, N), minlength=32)
    assert len(counts) == 32
    assert stats.chisquare(counts).pvalue > 1e-4


def test_rows_of_a_request_share_its_bucket_wherever_they_stand() -> None:
    random = np.random.default_rng(0)
    requests = [f"request {k}" for k in range(500)]
    places = np.sort(random.integers(0, 500, 5000))
    expected = request_buckets(pa.array(requests), 500)[places]
    ordered = pa.array(requests).take(pa.array(places))
    assert (request_buckets(ordered, 5000) == expected).all()
    assert (request_buckets(ordered.dictionary_encode(), 5000) == expected).all()
    shuffle = random.permutation(5000)
    assert (request_buckets(ordered.take(pa.array(shuffle)), 5000) == expected[shuffle]).all()


def test_rows_without_a_request_go_by_position() -> None:
    whole = request_buckets(pa.array(["a", None, None, None]), 4)
    assert (whole[1:] == request_buckets(None, 3, first_row=1)).all()
    assert (whole[2:] == request_buckets(pa.nulls(2, pa.string()), 2, first_row=2)).all()


def test_never_changes() -> None:
    assert request_buckets(pa.array(["r-1", "", "a longer request id"]), 3).tolist() == [24, 26, 22]
    assert request_buckets(pa.array([1, 2, -3]), 3).tolist() == [1, 14, 29]
