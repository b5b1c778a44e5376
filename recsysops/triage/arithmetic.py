"""The arithmetic behind a finding, term by term, so that a person can follow and repeat it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Gate = Literal["counts", "size", "noise", "days", "chance"]
GATES: tuple[Gate, ...] = ("counts", "size", "noise", "days", "chance")


@dataclass(frozen=True)
class Term:
    """One number on the way to the p-value.

    ``gate``: which question it belongs to: the counts themselves; is the change large enough; is it beyond the noise of
    rows clustered in requests; is it beyond what days differ by; what chance remains.
    """

    gate: Gate
    name: str
    value: float
    how: str = ""
    """Where it comes from, in terms of those before it."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"gate": self.gate, "name": self.name, "value": self.value, "how": self.how}
