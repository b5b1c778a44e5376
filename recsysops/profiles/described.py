"""Facts of a partition as plain JSON values, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from recsysops.profiles.history import PartitionFacts


def facts_to_dict(facts: PartitionFacts) -> dict[str, Any]:
    """JSON-ready."""
    return {
        "table": facts.table,
        "partition": facts.key,
        "fingerprint": facts.fingerprint,
        "n_rows": facts.n_rows,
        "n_bytes": facts.n_bytes,
        "modified_at": facts.modified_at.isoformat(),
        "first_ts": facts.first_ts.isoformat() if facts.first_ts else None,
        "last_ts": facts.last_ts.isoformat() if facts.last_ts else None,
        "columns": [list(column) for column in facts.columns],
        "days": [[day.isoformat(), n_rows] for day, n_rows in facts.days],
    }


def facts_from_dict(described: Mapping[str, Any]) -> PartitionFacts:
    """The inverse of ``facts_to_dict``.

    Raises:
        KeyError, ValueError, TypeError: if something else was written.
    """
    return PartitionFacts(
        table=described["table"],
        key=described["partition"],
        fingerprint=described["fingerprint"],
        n_rows=described["n_rows"],
        n_bytes=described["n_bytes"],
        modified_at=datetime.fromisoformat(described["modified_at"]),
        first_ts=datetime.fromisoformat(described["first_ts"]) if described["first_ts"] else None,
        last_ts=datetime.fromisoformat(described["last_ts"]) if described["last_ts"] else None,
        columns=tuple((name, kind) for name, kind in described["columns"]),
        days=tuple((date.fromisoformat(day), n_rows) for day, n_rows in described["days"]),
    )
