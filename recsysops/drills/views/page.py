"""The scorecard as one HTML page: self-contained, readable by a manager, on paper and in the dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recsysops.drills.scorecard.results import Card
from recsysops.drills.views import words
from recsysops.drills.views.plot import plot_of
from recsysops.drills.views.tally import (
    benign,
    by_stage,
    headline_multiples,
    is_found,
    missed,
    multiples,
    not_planted,
    planted,
    point_at,
    points_of,
    tally,
)
from recsysops.reporting.numbers import count, seconds
from recsysops.reporting.templated import page

TEMPLATES = Path(__file__).parent / "templates"
_CALLED = {
    "words": words,
    "point_at": point_at,
    "points_of": points_of,
    "is_found": is_found,
    "plot_of": plot_of,
    "count": count,
}
"""What the template calls by itself."""


def card_page(card: Card) -> str:
    """The whole page as text. Everything that comes from data is escaped."""
    return page("scorecard.html", _values(card), TEMPLATES)


def _values(card: Card) -> dict[str, Any]:
    """What the template is given: values and a few counts; how things look is the template's."""
    tallies = [tally(card, multiple) for multiple in headline_multiples(card)]
    curves = planted(card)
    return {
        "card": card,
        "took": seconds(card.seconds),
        "tallies": tallies,
        "multiples": multiples(card),
        "stages": by_stage([*curves, *benign(card)]),
        "missed": missed(card, tallies[0].multiple) if tallies else (),
        "not_planted": not_planted(card),
        **_CALLED,
    }
