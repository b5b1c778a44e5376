"""Text from data is shown literally and harms nobody."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.reporting.lines import Column, Line, table, wrapped
from recsysops.reporting.page import as_html
from recsysops.reporting.picture import painted
from recsysops.reporting.plain import cells, cut, literal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("\x9b31mred", "red"),
        ("a\x1bb\x00c\x7fd\x85e", "abcd e"),
        ("[red]x[/red] [link=http://x]", "[red]x[/red] [link=http://x]"),
        ("abc\u202edef\u2066g\u200bh", "abcdefgh"),
        ("two\nlines\tand\r\nmore", "two lines and  more"),
        ("line\u2028sep", "line sep"),
        ("'; DROP TABLE x --", "'; DROP TABLE x --"),
        ("naïve 日本語 🎬", "naïve 日本語 🎬"),
        ("\ud800broken", "broken"),
    ],
)
def test_only_what_can_be_seen_is_left(text: str, shown: str) -> None:
    assert literal(text) == shown


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.text(st.characters(codec=None), max_size=60), st.integers(0, 30))
def test_one_printable_line_that_fits(text: str, width: int) -> None:
    shown = literal(text, width)
    assert cells(shown) <= width
    assert "\x1b" not in shown
    assert all(character.isprintable() or character == " " for character in shown)
    shown.encode("utf-8")
    assert literal(shown) == shown


def test_cut_marks_only_the_end() -> None:
    assert [cut("abcdef", width) for width in (6, 5, 1, 0)] == ["abcdef", "abcd…", "…", ""]
    assert cut("日本語", 5) == "日本…"


def test_markup_is_never_parsed() -> None:
    line = Line("▲ [bold]x[/bold] <b>&", "yellow", 1)
    assert painted(line).plain == "▲ [bold]x[/bold] <b>&"
    assert as_html([line]).endswith("▲</span> [bold]x[/bold] &lt;b&gt;&amp;</pre>")


def test_a_number_and_its_unit_stay_together() -> None:
    lines = [line.text for line in wrapped("word " * 20 + "of 11.4 % of rows " * 10, 40, indent=2)]
    assert all(cells(line) <= 40 for line in lines)
    assert not any(line.strip().startswith("%") for line in lines)


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_tables_drop_columns_and_keep_numbers_whole(width: int) -> None:
    columns = (
        Column("name", ("x" * 20, "y")),
        Column("rows", ("1,234,567", "1"), is_number=True),
        Column("bytes", ("123,456,789.0 kB", "1 byte"), drop=2, is_number=True),
        Column("columns", ("1,000,000,000", "1"), drop=1, is_number=True),
        Column("path", ("p" * 60, "q"), is_last=True),
    )
    lines = [line.text for line in table(columns, width)]
    assert all(cells(line) <= width for line in lines)
    assert "1,234,567" in lines[1]
    assert ("bytes" in lines[0]) is (width == 100)
    if width < 100:
        assert "columns" in lines[0] or width < 80
