"""What is told: a notice for one target."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from recsysops.triage.findings import Severity

Event = Literal["opened", "worsened", "acknowledged", "resolved", "reopened", "blind", "seeing", "digest", "test"]
"""``blind``: a run could not look, or not at everything; ``seeing``: it can again."""
ENDS: frozenset[Event] = frozenset({"resolved", "seeing"})
"""Events that close what an earlier one opened at a pager."""


@dataclass(frozen=True)
class Told:
    """What people were last told of a subject."""

    status: str
    severity: Severity
    n_changes: int = 0
    """How many changes there have been; the next one is another notice."""


@dataclass(frozen=True)
class Message:
    """The words: the answer on one line, then why, then commands."""

    title: str
    body: str


@dataclass(frozen=True)
class Notice:
    """One message for one target, as it waits in the outbox."""

    key: str
    """The same change is the same key: it is written once, however often it is found."""
    target: str
    subject: str
    """``incident 41``, ``watch run`` …"""
    event: Event
    severity: Severity
    message: Message
    created: datetime
    due: datetime
    is_entry: bool = False
    """Waits for the digest instead of being sent by itself."""
    incident: int | None = None
    id: int = 0
    """Number in the outbox; 0 before it is there."""
    n_tries: int = 0
