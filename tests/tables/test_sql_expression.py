"""Expressions that people may write, and everything else they might try."""

from __future__ import annotations

import doctest

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.tables import sql_expression
from recsysops.tables.sql_expression import ExpressionError, columns_of

COLUMNS = ("market", "price", "score", 'we"ird col')


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("score > 0.5 AND market = 'NO'", ("market", "score")),
        ("CASE WHEN price IS NULL THEN 0 ELSE ln(price + 1) END", ("price",)),
        ("market IN ('NO', 'DK') OR market LIKE 'S%'", ("market",)),
        ("score BETWEEN 0 AND 1", ("score",)),
        ("coalesce(TRY_CAST(market AS DOUBLE), 1.5)", ("market",)),
        ('"we""ird col" = 1 -- a remark', ('we"ird col',)),
        ("NOT isnan(score)", ("score",)),
        ("1", ()),
    ],
)
def test_what_is_allowed(expression: str, columns: tuple[str, ...]) -> None:
    assert columns_of(expression, COLUMNS) == columns


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("(SELECT max(score) FROM read_csv('/etc/passwd'))", "a subquery"),
        ("EXISTS (SELECT 1)", "a subquery"),
        ("price IN (SELECT price FROM rows)", "a subquery"),
        ("getenv('HOME')", "the function getenv"),
        ("read_text('/etc/passwd')", "the function read_text"),
        ("glob('/*')", "the function glob"),
        ("count(DISTINCT market)", "the function count"),
        ("median(score)", "the function median"),
        ("sum(score) OVER ()", "a window function"),
        ("COLUMNS(*)", r"\*"),
        ("*", r"\*"),
        ("$1", "a parameter"),
        ("score, price", "the function row"),
        ("score) FROM rows WHERE (1 = 1", "syntax error"),
        ("score) FROM read_csv('/etc/passwd') --", "syntax error"),
        ("score) AS a FROM rows UNION ALL SELECT (price", "a whole query"),
        ("score FROM rows; DROP TABLE rows; SELECT (1", "syntax error|SELECT statements"),
        ("1); ATTACH 'x.db'; SELECT (1", "syntax error|SELECT statements"),
        ("repeat(market, 1000000000)", "the function repeat"),
        ("score -> 1", "lambda"),
        ("main.rows.score", "the column main.rows.score"),
        ("scor > 1", "the column scor"),
        ("", "the function row"),
        ("1" + " + 1" * 600, "characters|parts"),
        ("pg_catalog.abs(score)", "the function abs"),
    ],
)
def test_what_is_refused(expression: str, found: str) -> None:
    with pytest.raises(ExpressionError, match=found):
        columns_of(expression, COLUMNS)


def test_the_nearest_name_is_said() -> None:
    with pytest.raises(ExpressionError, match="such as score"):
        columns_of("scor > 1", COLUMNS)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.text(alphabet="()'\";,-*score 1=SELECTFROMrows\n/", max_size=40))
def test_whatever_is_let_through_reads_one_row_only(text: str) -> None:
    try:
        found = columns_of(text, COLUMNS)
    except ExpressionError:
        return
    assert set(found) <= set(COLUMNS)
    with duckdb.connect(config={"enable_external_access": "false"}) as connection:
        connection.execute('CREATE TABLE rows (market VARCHAR, price DOUBLE, score DOUBLE, "we""ird col" DOUBLE)')
        connection.execute("INSERT INTO rows VALUES ('NO', 1, 2, 3), ('DK', 4, 5, 6)")
        try:
            assert len(connection.execute(f"SELECT ({text}\n) FROM rows").fetchall()) == 2
        except duckdb.Error:
            return  # a type that does not fit is told when rows are counted


def test_example() -> None:
    assert doctest.testmod(sql_expression).failed == 0
