"""The life of an incident as one table: which step leads from where to where. Everything here is pure.

    open → acknowledged → diagnosed → mitigated → resolved → retro

What days say (``open``, ``resolved`` after quiet days, ``withdrawn``) and what people say are kept apart: judging a day
again recomputes the first and never touches the second. What an incident's status is follows from both.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Literal

from recsysops.errors import ConfigError

Presence = Literal["open", "resolved", "withdrawn"]
"""What the judged days say; ``withdrawn``: its days were judged again and it was no longer there."""
Status = Literal["open", "acknowledged", "diagnosed", "mitigated", "resolved", "retro", "withdrawn", "merged"]
Resolution = Literal["fixed", "expected", "false-alarm"]
Step = Literal["acknowledge", "diagnose", "mitigate", "resolve", "retro", "reopen", "merge"]

ACTIVE: frozenset[Status] = frozenset({"open", "acknowledged", "diagnosed", "mitigated"})
CLOSED: frozenset[Status] = frozenset({"resolved", "retro"})
CLEAN: frozenset[Resolution] = frozenset({"expected", "false-alarm"})
"""Resolutions by which the incident's days count as clean history again."""

TRANSITIONS: Mapping[Step, tuple[frozenset[Status], Status]] = MappingProxyType(
    {
        "acknowledge": (frozenset({"open"}), "acknowledged"),
        "diagnose": (frozenset({"open", "acknowledged"}), "diagnosed"),
        "mitigate": (frozenset({"open", "acknowledged", "diagnosed"}), "mitigated"),
        "resolve": (ACTIVE | {"resolved"}, "resolved"),  # also one that went quiet by itself, or was marked wrongly
        "retro": (CLOSED, "retro"),
        "reopen": (CLOSED, "open"),
        "merge": (ACTIVE | {"resolved"}, "merged"),
    }
)
"""For each step the statuses it may be taken from, and the one it leads to."""
_WORDS: Mapping[Step, str] = MappingProxyType(
    {"acknowledge": "acknowledged", "diagnose": "marked", "mitigate": "marked", "retro": "looked back on"}
)


def step_from(status: Status, step: Step, where: str) -> Status:
    """The status that a step leads to.

    Raises:
        ConfigError: if the step cannot be taken from there; ``where`` names the incident in the message.

    Example:
        >>> step_from("open", "acknowledge", "incident 41")
        'acknowledged'
    """
    allowed, target = TRANSITIONS[step]
    if status in allowed:
        return target
    advice = "reopen it first" if status in CLOSED and "open" in allowed else ""
    advice = "resolve it first" if step == "retro" and status in ACTIVE else advice
    names = " or ".join(name for name in _ORDER if name in allowed)
    word = _WORDS.get(step, {"reopen": "reopened"}.get(step, step + "d"))
    raise ConfigError(where, found=f"status {status}", expected=f"{names} to be {word}", next_step=advice)


_ORDER: tuple[Status, ...] = (
    "open", "acknowledged", "diagnosed", "mitigated", "resolved", "retro", "withdrawn", "merged",
)  # fmt: skip


def status_of(presence: Presence, last_seen: date, said: Status | None, through: date | None) -> Status:
    """The status that follows from what the days and what people say.

    Args:
        presence: what the judged days say.
        last_seen: the last day it was there.
        said: the last status a person gave it, if one did.
        through: the last day that was judged when it was closed; seen after that day, it has come back.

    Example:
        >>> status_of("open", date(2026, 11, 20), "resolved", date(2026, 11, 18))
        'open'
    """
    if said is None:
        return presence
    if said in CLOSED:
        has_come_back = presence != "withdrawn" and through is not None and last_seen > through
        return presence if has_come_back else said
    return "withdrawn" if presence == "withdrawn" and said != "merged" else said
