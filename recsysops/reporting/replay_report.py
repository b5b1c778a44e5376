"""What ``recsysops replay`` found, as one object for programs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from recsysops.replay.differences import ColumnDifferences
from recsysops.replay.replaying import Replay
from recsysops.replay.rescoring import BY_FALLBACK


@dataclass(frozen=True)
class ReplayReport:
    """A replayed day."""

    workspace: str
    day: date
    replay: Replay

    @property
    def differing(self) -> tuple[ColumnDifferences, ...]:
        """Copied features that are not always what their source had, the worst first."""
        found = [one for one in self.replay.differences if one.main_class != "same"]
        return tuple(sorted(found, key=lambda one: (-one.mismatch_rate, one.column)))

    @property
    def problems(self) -> dict[str, int]:
        """Rows that could not be replayed though they should, by reason."""
        return {reason: n for reason, n in self.replay.not_replayed.items() if reason != BY_FALLBACK}

    @property
    def exit_code(self) -> int:
        """1 when something diverges, 6 when a model could not be replayed, 0 otherwise."""
        if self.replay.divergences:
            return 1
        return 6 if self.problems else 0

    def to_dict(self) -> dict[str, Any]:
        """Stable keys; numbers that are not known are null."""
        found = self.replay
        return {
            "schema_version": 1,
            "workspace": self.workspace,
            "day": self.day.isoformat(),
            "n_requests": found.n_requests,
            "n_rows": found.n_rows,
            "n_rows_replayed": found.n_rows_replayed,
            "not_replayed": dict(found.not_replayed),
            "match_rate": found.match_rate,
            "stages": list(found.stages),
            "grades": {name: dict(counts) for name, counts in found.grades.items()},
            "divergences": [asdict(one) for one in found.divergences],
            "copies": [asdict(one) | {"is_copy": one.is_copy} for one in found.copies],
            "features": [_feature(one) for one in found.differences],
        }


def _feature(one: ColumnDifferences) -> dict[str, Any]:
    return {
        "column": one.column,
        "source": one.source,
        "mismatch_rate": one.mismatch_rate,
        "main_class": one.main_class,
        "counts": one.counts,
        "details": dict(one.details),
    }
