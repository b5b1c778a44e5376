"""Text from data, made harmless: shown literally, on one line, never as a command to the terminal."""

from __future__ import annotations

import re
import unicodedata

# CSI and OSC sequences as a whole; what is left of a lone escape goes with the control characters.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls (C0 and C1), formats (bidi overrides, zero width), lone surrogates, line and paragraph separators."""
_WIDE = frozenset({"W", "F"})
TWINS = str.maketrans(
    dict(zip("▁▂▃▄▅▆▇█", "_.-:=+*#", strict=True))
    | {
        "●": "!",
        "▲": "^",
        "○": "o",
        "·": "-",
        "×": "x",
        "…": "...",
        "→": "->",
        "−": "-",
        "–": "-",
        "≥": ">=",
        "≤": "<=",
        "±": "+/-",
    }
)
"""What our own symbols become where the output cannot show them."""


def literal(text: object, width: int | None = None) -> str:
    """Text as it may be printed: no escapes, no control or direction characters, one line, cut with ``…`` at the end.

    Markup such as ``[red]`` stays as it is: nothing that we print is parsed as markup.

    Args:
        text: anything; converted by ``str``.
        width: the most terminal cells it may take; None for no limit.

    Example:
        >>> literal("\\x1b[31mred\\x1b[0m [bold]x[/bold]\\n\\u202eabc"), literal("a long name", 6)
        ('red [bold]x[/bold] abc', 'a lon…')
    """
    bare = _ESCAPES.sub("", str(text))
    visible = "".join(_visible(character) for character in bare)
    return visible if width is None else cut(visible, width)


def cut(text: str, width: int) -> str:
    """At most ``width`` terminal cells of the text, ended by ``…`` when something is missing."""
    if cells(text) <= width:
        return text
    kept, room = [], max(width - 1, 0)
    for character in text:
        room -= cells(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…" if width > 0 else ""


def cells(text: str) -> int:
    """How many terminal cells the text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in _WIDE else 1
        for character in text
    )


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    if character.isspace():
        return " "
    return "" if unicodedata.category(character) in _INVISIBLE else "\ufffd"
