"""The stages of an item's way to the screen, as a page names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recsysops.reporting.drawing import known
from recsysops.reporting.numbers import number, percent


@dataclass(frozen=True)
class Stage:
    """What a stage of the step ``item.path`` measures."""

    words: str
    is_share: bool = True
    less_is_better: bool = False

    def value(self, value: object) -> str:
        """In the stage's own unit; a dash where it is not known."""
        return percent(known(value)) if self.is_share else number(known(value))


STAGES: Mapping[str, Stage] = {
    "retrieved": Stage("requests that have it among their candidates"),
    "passed": Stage("of those, requests in which no rule filtered it"),
    "rank": Stage("candidates above it by raw score: 0 % is the top", less_is_better=True),
    "moved": Stage("ranks by which policies move it: above 0 is down", is_share=False, less_is_better=True),
    "shown": Stage("requests that show it"),
}
OTHER = Stage("", is_share=False)
"""A stage that this page does not know."""


def stage_of(name: object) -> Stage:
    """The stage of that name."""
    return STAGES.get(str(name), OTHER)
