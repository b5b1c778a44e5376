"""The portable hash is DuckDB's, to the bit."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.serving.hashing import bucket, hash64

TEXTS = ["", "r-1", "'; DROP TABLE candidates; --", "møte 🎬", "a" * 10_000, " ", "0", "\n"]


@pytest.mark.parametrize("salt", ["", "sample-2026", "é"])
def test_equals_duckdb(salt: str) -> None:
    sql = "SELECT md5_number_lower($salt || text) FROM unnest($texts) AS t(text)"
    rows = duckdb.execute(sql, {"salt": salt, "texts": TEXTS}).fetchall()
    assert [row[0] for row in rows] == [hash64(text, salt) for text in TEXTS]


@settings(deadline=None, derandomize=True)
@given(st.text(), st.text(max_size=5), st.integers(1, 1000))
def test_a_bucket_is_the_hash_modulo_n(text: str, salt: str, n: int) -> None:
    assert 0 <= hash64(text, salt) < 2**64
    assert bucket(text, n, salt) == hash64(text, salt) % n


def test_never_changes() -> None:
    assert hash64("r-1") == 10390376423639061157


def test_refuses_no_buckets() -> None:
    with pytest.raises(ValueError, match="found 0"):
        bucket("r-1", n=0)
