"""Findings as text in the state database, and back."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.triage.findings import Finding, Subject


def to_text(finding: Finding) -> str:
    """One line of JSON; NaN stays readable as JSON's null."""
    entries = {key: _finite(value) for key, value in finding.to_dict().items()}
    return json.dumps(entries, sort_keys=True, ensure_ascii=False)


def from_text(text: str) -> Finding:
    """The finding that was written.

    Raises:
        ValueError, KeyError: if the text is not one of ours.
    """
    stored: dict[str, Any] = json.loads(text)
    known = {name: stored[name] for name in _SAME}
    return Finding(
        **known,
        subject=Subject(**stored["subject"]),
        column=stored["column"] or "",
        slice=Slice(*next(iter(stored["slice"].items()))) if stored["slice"] else EVERYTHING,
        value=_number(stored["value"]),
        day=date.fromisoformat(stored["day"]),
        onset=date.fromisoformat(stored["onset"]),
        series=tuple(_number(value) for value in stored["series"]),
        query=stored["query"] or "",
        follows=stored.get("follows") or "",
    )


_SAME = (
    "code", "detector", "table", "statistic", "reference_value", "threshold", "severity", "stage", "headline",
    "low", "high", "p_value", "effect", "n_reference", "n_current",
)  # fmt: skip


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return None
    return value


def storable(text: str) -> str:
    """The text as every database can hold it: without NUL characters."""
    return text.replace("\x00", "\ufffd")
