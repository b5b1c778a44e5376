"""Where an item is lost: what each stage lets through now, before, and of its peers, as bars beside one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from recsysops.reporting.drawing import Drawing, Shape, bar, known, line, text
from recsysops.reporting.item_stages import STAGES

LEFT, RIGHT, ROW, HEAD, GAP = 130, 780, 19, 24, 12
COMPARED = {"now": "now", "before": "before", "peers": "median peer"}
"""Keys of a row of ``item.path``, and what their bars are called."""
FUNNEL = ("retrieved", "passed", "shown")
NOTE = "All bars are on one scale from 0 to 100 %."


def funnel_plot(rows: Sequence[Mapping[str, Any]]) -> Drawing:
    """Bars of the stages that are shares of requests; ``rows`` are those of the step ``item.path``."""
    shapes: list[Shape] = []
    top = 0.0
    for row in rows:
        if row["stage"] in FUNNEL:
            shapes += _stage(row, top)
            top += HEAD + ROW * len(COMPARED) + GAP
    shapes.append(line(LEFT, 4, LEFT, top - GAP, "axis"))
    return Drawing("Funnel", _alt(rows), top, tuple(shapes), NOTE)


def _stage(row: Mapping[str, Any], top: float) -> Iterator[Shape]:
    stage = STAGES[row["stage"]]
    yield text(LEFT, top + 15, row["stage"], look="name")
    yield text(LEFT + 70, top + 15, stage.words)
    for number, (key, words) in enumerate(COMPARED.items()):
        y, value = top + HEAD + ROW * number, known(row[key])
        end = LEFT + (RIGHT - LEFT) * min(max(value or 0.0, 0.0), 1.0)
        yield text(LEFT - 8, y + 11, words, "end")
        if value is not None:
            yield bar(LEFT, end, y, ROW - 5, key, f"{row['stage']} {words}: {stage.value(value)}")
        yield text(end + 6, y + 11, stage.value(value), look="value")


def _alt(rows: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(
        f"{row['stage']} "
        + ", ".join(f"{words} {STAGES[row['stage']].value(row[key])}" for key, words in COMPARED.items())
        for row in rows
        if row["stage"] in FUNNEL
    )
