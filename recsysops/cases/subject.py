"""What is diagnosed, and over which time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

SubjectKind = Literal["item", "member", "request", "model", "incident"]


@dataclass(frozen=True)
class Window:
    """Half-open, in UTC: ``start`` is in it, ``end`` is not."""

    start: datetime
    end: datetime

    @property
    def days(self) -> float:
        """Its length."""
        return (self.end - self.start).total_seconds() / 86_400
