"""The screen of ``recsysops init``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from recsysops.inspection.values import Inference
from recsysops.reporting.lines import Line, next_lines, wrapped
from recsysops.reporting.numbers import count
from recsysops.reporting.plain import literal


def init_lines(inference: Inference, path: Path, width: int, *, command: str = "recsysops") -> Iterator[Line]:
    """What was written, what each table was taken for, and what the data did not settle."""
    unsure = f", unsure of {count(len(inference.doubts), 'choice')} (below)" if inference.doubts else ""
    yield from wrapped(f"Wrote {literal(path)}: {count(len(inference.tables), 'table')}{unsure}", width, style="bold")
    yield Line("")
    for guess in inference.tables:
        parts = [count(len(guess.roles), "role"), count(len(guess.features), "feature")]
        parts += [f"sliced by {', '.join(guess.slices)}"] if guess.slices else []
        yield from wrapped(
            literal(f"{guess.table:<12}  {guess.sample.found.label} · {' · '.join(parts)}"), width, indent=2
        )
        roles = ", ".join(role if role == column else f"{role} = {column}" for role, column in guess.roles.items())
        yield from wrapped(literal(roles), width, indent=4, style="dim")
    if inference.doubts:
        yield Line("")
        yield Line("Unsure:")
    for doubt in inference.doubts:
        other = f" (or {', '.join(doubt.alternatives)})" if doubt.alternatives else ""
        yield from wrapped(literal(f"{doubt.where}: {doubt.chosen or 'none'}{other}; {doubt.why}"), width, indent=2)
    for note in inference.notes:
        yield from wrapped(literal(f"note: {note}"), width, indent=2, style="dim")
    yield Line("")
    yield from next_lines([f"{command} check", f"{command} detect"])
