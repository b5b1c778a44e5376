"""Whether a column's content can play a role."""

from __future__ import annotations

from collections.abc import Callable

from recsysops.inspection.values import ColumnFacts
from recsysops.tables.contract import FLAG, ID, LABEL, NUMBER, TIME, Role

Opinion = tuple[float, str]
"""(factor on the name's score, why it is in doubt or "")."""
_LONGEST_SLATE = 2000


def plausibility(role: Role, column: ColumnFacts) -> Opinion:
    """How well the content fits the role: 1 where it does, 0 where it cannot."""
    if column.n_present == 0 and column.n_rows:
        return 0.8, "every value in the sample is missing"
    special = _SPECIAL.get(role.name)
    if special:
        return special(column)
    return _BY_KINDS.get(role.kinds, _anything)(column)


def _identifier(column: ColumnFacts) -> Opinion:
    if column.kind == "categorical" or (column.kind == "numeric" and column.is_whole):
        return (0.2, "it holds moments") if column.kind == "categorical" and column.is_time_text else (1.0, "")
    return 0.0, ""


def _moment(column: ColumnFacts) -> Opinion:
    return (1.0, "") if column.is_timelike else (0.0, "")


def _number(column: ColumnFacts) -> Opinion:
    return (1.0, "") if column.kind == "numeric" else (0.0, "")


def _flag(column: ColumnFacts) -> Opinion:
    return (1.0, "") if column.is_flag else (0.0, "")


def _label(column: ColumnFacts) -> Opinion:
    if column.kind in ("categorical", "boolean") or (column.kind == "numeric" and column.is_whole):
        return 1.0, ""
    return 0.0, ""


def _anything(column: ColumnFacts) -> Opinion:
    return 1.0, ""


def _position(column: ColumnFacts) -> Opinion:
    if column.kind != "numeric" or not column.is_whole or column.low is None or column.high is None:
        return 0.0, ""
    if column.low < 0 or column.high > _LONGEST_SLATE:
        return 0.5, f"its values go from {column.low:g} to {column.high:g}"
    if column.low == 0:
        return 0.95, "it begins at 0, positions are 1-based; export position + 1"
    return 1.0, ""


def _propensity(column: ColumnFacts) -> Opinion:
    if column.kind != "numeric" or column.low is None or column.high is None:
        return 0.0, ""
    if column.low <= 0 or column.high > 1:
        return 0.6, f"its values go from {column.low:g} to {column.high:g}, probabilities lie in (0, 1]"
    return 1.0, ""


_SPECIAL: dict[str, Callable[[ColumnFacts], Opinion]] = {
    "position": _position,
    "raw_rank": _position,
    "final_rank": _position,
    "propensity": _propensity,
}
_BY_KINDS: dict[tuple[str, ...], Callable[[ColumnFacts], Opinion]] = {
    ID: _identifier,
    TIME: _moment,
    NUMBER: _number,
    FLAG: _flag,
    LABEL: _label,
    ("categorical",): _label,
}
