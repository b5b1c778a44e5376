"""SQL that people write in ``recsysops.yaml``: one expression over one row's columns, and nothing that reaches farther.

DuckDB's own parser says what an expression is made of; only what is listed here is let through. Subqueries, windows,
aggregates, parameters and every function that is not listed (readers of files, of the environment, of the network) are
refused by not being on the list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

MAX_LENGTH = 2_000
MAX_NODES = 500
KINDS = frozenset(
    {"COLUMN_REF", "CONSTANT", "FUNCTION", "OPERATOR", "COMPARISON", "CONJUNCTION", "CASE", "CAST", "TYPE", "BETWEEN"}
)
OPERATORS = frozenset(
    {"OPERATOR_NOT", "OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL", "OPERATOR_COALESCE", "COMPARE_IN", "COMPARE_NOT_IN",
     "OPERATOR_TRY"}
)  # fmt: skip
FUNCTIONS = frozenset(
    {"+", "-", "*", "/", "//", "%", "**", "^", "||", "~~", "!~~", "~~*", "!~~*", "abs", "ceil", "contains", "date_part",
     "date_trunc", "day", "dayofweek", "ends_with", "epoch", "exp", "floor", "greatest", "hour", "ifnull", "isfinite",
     "isinf", "isnan", "least", "length", "ln", "log10", "log2", "lower", "minute", "month", "nullif", "pow", "power",
     "prefix", "regexp_matches", "round", "sign", "sqrt", "starts_with", "suffix", "to_days", "to_hours", "to_minutes",
     "to_seconds", "trim", "trunc", "upper", "year"}
)  # fmt: skip
_EMPTY = ("where_clause", "group_expressions", "group_sets", "having", "sample", "qualify", "modifiers")


class ExpressionError(ValueError):
    """What is wrong with an expression: ``found`` and ``expected`` for a message."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(f"found {found}, expected {expected}")
        self.found = found
        self.expected = expected


def columns_of(expression: str, known: Sequence[str]) -> tuple[str, ...]:
    """The columns that an expression reads, in order of name.

    Args:
        expression: SQL over one row.
        known: columns that there are.

    Raises:
        ExpressionError: if it is not one expression over these columns made of what is allowed.

    Example:
        >>> columns_of("price > 0 AND lower(market) = 'no'", ["market", "price", "score"])
        ('market', 'price')
    """
    if len(expression) > MAX_LENGTH:
        raise ExpressionError(f"{len(expression):,} characters", f"at most {MAX_LENGTH:,}")
    nodes = list(_nodes(_parsed(expression)))
    if len(nodes) > MAX_NODES:
        raise ExpressionError(f"an expression of {len(nodes)} parts", f"at most {MAX_NODES}")
    found: set[str] = set()
    for node in nodes:
        _check(node)
        if node["class"] == "COLUMN_REF":
            found.add(_column(node, known))
    return tuple(sorted(found))


def _parsed(expression: str) -> dict[str, Any]:
    """The one expression as DuckDB's parser sees it."""
    import duckdb

    with duckdb.connect(":memory:", config={"enable_external_access": "false"}) as connection:
        text = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT ({expression}\n) FROM rows"]).fetchall()[0][
            0
        ]
    tree = json.loads(text)
    if tree.get("error"):
        raise ExpressionError(str(tree.get("error_message", "no SQL")).splitlines()[0][:120], "one SQL expression")
    statements = tree["statements"]
    node = statements[0]["node"] if len(statements) == 1 else {}
    table = node.get("from_table", {})
    is_plain = (
        node.get("type") == "SELECT_NODE"
        and (table.get("type"), table.get("table_name"), table.get("schema_name")) == ("BASE_TABLE", "rows", "")
        and not any(node.get(part) for part in _EMPTY)
        and not node.get("cte_map", {}).get("map")
        and len(node.get("select_list", ())) == 1
    )
    if not is_plain:
        raise ExpressionError("a whole query", "one SQL expression over the columns of a row")
    first: dict[str, Any] = node["select_list"][0]
    return first


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every part of an expression, itself first."""
    if isinstance(node, dict):
        if "class" in node:
            yield node
        for value in node.values():
            yield from _nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _nodes(value)


def _check(node: dict[str, Any]) -> None:
    kind = node["class"]
    if kind not in KINDS:
        said = {"SUBQUERY": "a subquery", "WINDOW": "a window function", "STAR": "*", "PARAMETER": "a parameter"}
        raise ExpressionError(
            said.get(kind, kind.lower().replace("_", " ")), "an expression over the columns of one row"
        )
    if kind == "OPERATOR" and node["type"] not in OPERATORS:
        raise ExpressionError(str(node["type"]).lower().replace("_", " "), "arithmetic, comparisons, IN, IS NULL, NOT")
    if kind == "FUNCTION":
        name = str(node["function_name"]).lower()
        if name not in FUNCTIONS or node.get("schema") or node.get("distinct") or node.get("filter"):
            near = get_close_matches(name, [one for one in FUNCTIONS if one.isidentifier()], n=1)
            hint = f" such as {near[0]}" if near else ""
            raise ExpressionError(
                f"the function {name}",
                f"a function of one row{hint}; aggregates are made by share, mean, total or numerator and denominator",
            )


def _column(node: dict[str, Any], known: Sequence[str]) -> str:
    names = [str(name) for name in node["column_names"]]
    if len(names) == 1 and names[0] in known:
        return names[0]
    near = get_close_matches(names[-1], list(known), n=1)
    raise ExpressionError(
        f"the column {'.'.join(names)}", f"a column of the table{f', such as {near[0]}' if near else ''}"
    )
