"""Any name of the user's can be a column; none of them is ever SQL."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.errors import SchemaError
from recsysops.tables.identifiers import quote_identifier

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)


@given(NAMES)
@settings(deadline=None, derandomize=True, max_examples=100)
def test_any_name_round_trips_through_duckdb(name: str) -> None:
    cursor = duckdb.execute(f"SELECT 1 AS {quote_identifier(name)}")
    assert [column[0] for column in cursor.description] == [name]


@pytest.mark.parametrize("name", ["", "a\x00b"])
def test_what_no_database_can_carry_is_refused(name: str) -> None:
    with pytest.raises(SchemaError, match="rename it"):
        quote_identifier(name)
