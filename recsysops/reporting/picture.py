"""Screens as pictures: the same lines, painted by rich and exported as SVG for the docs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from recsysops.reporting.lines import NARROW, Line

STYLES = {
    "red": "bold red",
    "yellow": "bold yellow",
    "green": "bold green",
    "cyan": "cyan",
    "dim": "dim",
    "bold": "bold",
}
_WITHOUT_WEB_FONTS = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""A page that shows the picture fetches nothing: the reader's own fixed-width font will do."""


def painted(line: Line) -> Text:
    """A line as rich text; nothing in it is read as markup."""
    text = Text(line.text.replace(NARROW, " "))
    if line.style:
        text.stylize(STYLES[line.style], 0, line.styled or len(line.text))
    return text


def recorded(lines: Iterable[Line], width: int = 100) -> Console:
    """A console that has shown the lines and remembers them for an export."""
    console = Console(
        record=True, width=width, file=StringIO(), color_system="truecolor", force_terminal=True, highlight=False
    )
    for line in lines:
        console.print(painted(line), markup=False, emoji=False)
    return console


def export_svg(console: Console, path: Path, *, title: str = "recsysops") -> None:
    """Write what the console recorded as one SVG file.

    Raises:
        OSError: if the file cannot be written; no half of it is left.
    """
    from recsysops.tables.atomic import write_atomically

    picture = console.export_svg(title=title, code_format=_WITHOUT_WEB_FONTS, unique_id="recsysops")
    write_atomically(path, lambda target: _write(target, picture))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
