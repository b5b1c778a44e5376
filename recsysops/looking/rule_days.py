"""The daily numbers of a workspace's own rule, by slice, as its detector sees them. Pure."""

from __future__ import annotations

from recsysops.errors import NotEnoughDataError
from recsysops.looking.measure_names import Shown
from recsysops.profiles.history import History
from recsysops.triage.declared_values import Values, values_of


def rule_values(shown: Shown, history: History, by: str) -> Values:
    """All days and slices of the number that a rule watches; with ``by``, of that dimension, whatever the rule parts by.

    Raises:
        NotEnoughDataError: if there is nothing to show, with the detector's own reason.
    """
    declared, table = shown.declared, history.context.schema.table(shown.table)
    assert declared is not None
    assert table is not None
    if declared.per != "item":
        declared = declared.model_copy(update={"per": [by] if by else []})
    values = values_of(declared, table, history)
    if isinstance(values, str):
        raise NotEnoughDataError(f"show {shown.name}", found=values, expected="a number on the last day")
    return values
