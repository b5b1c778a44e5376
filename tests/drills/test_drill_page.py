"""The HTML page of a card: self-contained, escaped, with a table for each plot; the plots' geometry."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from example_cards import HOSTILE, card, curve, hostile, meta, usual
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.drills.views.page import card_page
from recsysops.drills.views.plot import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, plot_of

VOID = {"meta", "line", "polyline", "polygon", "rect", "br"}


class Outline(HTMLParser):
    """Every element with its attributes, and whether the elements are closed in the order they were opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def test_the_first_heading_is_the_answer() -> None:
    text = card_page(usual()).replace("\u00a0", " ")
    (heading,) = re.findall(r"<h1>(.*)</h1>", text)
    assert heading == "3 of 6 planted faults are found in time at the stated size"
    assert text.index("<h1>") < text.index("0.3 [0.0, 1.3]") < text.index("Detection curves")


@pytest.mark.parametrize("value", [usual(), hostile(), card([])], ids=["usual", "hostile", "empty"])
def test_the_page_is_well_formed_and_fetches_nothing(value: Any) -> None:
    outline = Outline(card_page(value))
    assert outline.open == []
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in outline.elements}
    asked = [name for _, attributes in outline.elements for name in attributes if name in {"src", "href", "srcset"}]
    assert asked == []
    assert "url(" not in card_page(value)
    assert "default-src 'none'" in str(outline.all("meta"))


def test_hostile_names_are_text() -> None:
    text = card_page(hostile())
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert any(part.startswith("la[red]ng'; <script>alert(1)</script>") for part in Outline(text).texts)
    assert HOSTILE not in text


def test_every_plot_has_a_text_and_a_table() -> None:
    outline = Outline(card_page(usual()))
    plots = [attributes for attributes in outline.all("svg") if attributes.get("role") == "img"]
    assert len(plots) == 7
    assert all((attributes["aria-label"] or "").startswith("Trials of ") for attributes in plots)
    assert len(outline.all("details")) == len(plots)
    assert "bot_burst found in time. 0.5" in str(plots).replace("\\xa0", " ")


def test_an_alarm_for_a_true_change_is_shown_as_bad() -> None:
    text = card_page(usual()).replace("\u00a0", " ")
    row = text.partition('taste_shift <span class="soft small">')[2].partition("</tr>")[0]
    assert re.findall(r'class="(\w+)">(\d of \d)', row) == [("all", "0 of 3")] * 4 + [("none", "3 of 3")]


def test_the_axis_is_logarithmic_and_shares_rise() -> None:
    plot = plot_of(curve(meta("null_spike"), (0, 1, 2, 3, 3)))
    xs = [dot.x for dot in plot.dots]
    steps = [after - before for before, after in pairwise(xs)]
    assert max(steps) - min(steps) < 0.3
    assert [dot.y for dot in plot.dots] == sorted((dot.y for dot in plot.dots), reverse=True)
    assert plot.dots[0].y == BOTTOM
    assert plot.dots[-1].y == TOP
    target, theory = plot.marks
    assert math.isclose(target.x, xs[1], abs_tol=0.1)
    assert xs[0] < theory.x < xs[1]


def test_a_mark_far_from_what_was_tried_is_not_drawn() -> None:
    plot = plot_of(curve(meta("null_spike", target=0.0001), (0, 1, 2, 3, 3), visible=0.05))
    assert [mark.text for mark in plot.marks] == ["theory"]


def test_labels_of_sizes_beyond_the_most_do_not_lie_on_one_another() -> None:
    plot = plot_of(curve(meta("everything", target=0.4, most=1.0), (3, 3, 3, 3, 3)))
    assert [dot.x for dot in plot.dots][3:] == [plot.dots[3].x] * 2
    assert len({tick.text for tick in plot.ticks}) == len(plot.ticks) == 3


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    found=st.lists(st.integers(0, 3), min_size=1, max_size=5),
    target=st.floats(1e-9, 1e6),
    visible=st.floats(0, 1e6),
    is_graded=st.booleans(),
)
def test_everything_is_drawn_inside(found: list[int], target: float, visible: float, is_graded: bool) -> None:
    about = meta("any", target=target, most=1e9, is_graded=is_graded)
    plot = plot_of(curve(about, found, visible=visible))
    places = [pair.split(",") for path in (plot.line, plot.band) for pair in path.split()]
    for x, y in [(float(x), float(y)) for x, y in places] + [(mark.x, mark.y) for mark in (*plot.marks, *plot.ticks)]:
        assert LEFT <= x <= RIGHT
        assert 0 <= y <= HEIGHT
