"""The faults that can be planted, as a list; no fault and no numeric library is loaded for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from recsysops.registry import plugins
from recsysops.reporting.lines import Column, Line, next_lines, table, wrapped
from recsysops.reporting.numbers import count
from recsysops.reporting.plain import literal

META = ("name", "stage", "cause", "entity", "knob", "target", "symptom", "cure")
"""Order of the arguments of ``FaultMeta``, which is not imported: it would load numpy."""
OWN_SEAMS = frozenset({"own_candidates", "own_outcomes"})


@dataclass(frozen=True)
class ListedFault:
    """A fault as the list shows it; what its source does not say in plain words is empty."""

    name: str
    stage: str
    cause: str
    entity: str
    own_logs: bool
    """Whether it can be planted in a copy of somebody's own logs."""
    summary: str
    symptom: str
    knob: str
    target: float | None
    is_fault: bool
    origin: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def listed_faults() -> tuple[ListedFault, ...]:
    """Every fault on the shelf, in its order (that of the pipeline); imports none of them."""
    rows = []
    for entry in plugins("faults"):
        meta = entry.declared(META)
        texts = {key: str(meta.get(key, "")) for key in ("stage", "cause", "entity", "symptom", "knob")}
        rows.append(
            ListedFault(
                name=entry.name,
                own_logs=bool(OWN_SEAMS & entry.members()),
                summary=entry.summary(),
                target=meta.get("target"),
                is_fault=bool(meta.get("is_fault", True)),
                origin=entry.origin,
                **texts,
            )
        )
    return tuple(rows)


def fault_list_lines(rows: Sequence[ListedFault], width: int) -> Iterator[Line]:
    """How many, a line for each, what to do next; a narrow screen loses own logs, then the stage."""
    n_own = sum(row.own_logs for row in rows)
    yield from wrapped(
        f"{count(len(rows), 'fault')}, {n_own} of them can be planted in a copy of your own logs", width, style="bold"
    )
    yield from table(
        (
            Column("name", tuple(literal(row.name, 28) for row in rows)),
            Column("stage", tuple(literal(row.stage, 12) for row in rows), drop=1),
            Column("own logs", tuple("yes" if row.own_logs else "no" for row in rows), drop=2),
            Column("what happens", tuple(_what(row) for row in rows), is_last=True),
        ),
        width,
    )
    yield Line("")
    first = next((row.name for row in rows if row.own_logs), rows[0].name if rows else "NAME")
    yield from next_lines((f"recsysops drill run --fault {literal(first)}", "recsysops drill run --own-logs --quick"))


def _what(row: ListedFault) -> str:
    origin = "" if row.origin == "recsysops" else f" ({row.origin})"
    return literal(row.summary + origin)
