"""What a verb prints: a screen for people, or one JSON object for programs."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from recsysops.cli.options import Options
from recsysops.reporting.lines import NARROW, Line
from recsysops.reporting.plain import TWINS

WIDEST = 100
NARROWEST = 40


def screen_width() -> int:
    """Cells of a line: those of the terminal, within 40 to 100; 100 in a pipe, where a pager can scroll."""
    return max(NARROWEST, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))


def print_json(value: Mapping[str, Any]) -> None:
    """One object on stdout; NaN and infinities become null."""
    _write(json.dumps(without_nan(value), ensure_ascii=False, allow_nan=False, default=str) + "\n")


def without_nan(value: Any) -> Any:
    """The same value with every number JSON cannot say replaced by None."""
    if isinstance(value, Mapping):
        return {str(key): without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(entry) for entry in value]
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return None
    return value


def print_lines(lines: Iterable[Line], options: Options) -> None:
    """A screen on stdout, in colour where that is wanted and possible; the first line alone with ``--quiet``."""
    shown = list(lines)[: 1 if options.quiet else None]
    if options.no_color or "NO_COLOR" in os.environ or not sys.stdout.isatty():
        _write("".join(f"{_encodable(line.text)}\n" for line in shown))
        return
    from rich.console import Console

    from recsysops.reporting.picture import painted

    console = Console(highlight=False, soft_wrap=True)
    try:
        for line in shown:
            console.print(painted(line), markup=False, emoji=False)
    except BrokenPipeError:
        _close_quietly()


def print_text(text: str) -> None:
    """A document on stdout, to be redirected or pasted."""
    _write("".join(f"{_encodable(line)}\n" for line in text.splitlines()))


def _encodable(text: str) -> str:
    """The text in what the output's encoding has: our symbols have twins in ASCII, the rest becomes ``?``."""
    encoding = sys.stdout.encoding or "utf-8"
    text = text.replace(NARROW, " ")
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(TWINS).encode(encoding, "replace").decode(encoding)
    return text


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _close_quietly()


def _close_quietly() -> None:
    """The reader went away (``| head``): the rest goes nowhere and the exit code stays that of the work."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
