"""A screen inside a notebook: the same lines, escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from recsysops.reporting.lines import NARROW, Line

COLOURS = {
    "red": "#b3261e",
    "yellow": "#8a5a00",
    "green": "#1d6f42",
    "cyan": "#0b6477",
    "dim": "#6b6b6b",
    "bold": "inherit",
}


def as_html(lines: Iterable[Line]) -> str:
    """Preformatted text with the colours of the terminal; nothing from data is read as markup."""
    return "<pre style='line-height:1.3'>" + "\n".join(_span(line) for line in lines) + "</pre>"


def _span(line: Line) -> str:
    text = line.text.replace(NARROW, " ")
    if not line.style:
        return escape(text)
    end = line.styled or len(text)
    weight = "normal" if line.style == "dim" else "bold"
    style = f"color:{COLOURS[line.style]};font-weight:{weight}"
    return f"<span style='{style}'>{escape(text[:end])}</span>{escape(text[end:])}"
