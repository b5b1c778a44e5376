"""Progress on stderr, for people only: one line that rewrites itself, nothing in a pipe."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from recsysops.cli.options import Options

if TYPE_CHECKING:
    from recsysops.engines.progress import Progress


def progress_for(options: Options) -> Progress:
    """A progress line where stderr is a terminal and nobody asked for quiet; else silence."""
    from recsysops.engines.progress import SILENT

    return ProgressLine() if sys.stderr.isatty() and not options.quiet else SILENT


class ProgressLine:
    """``counting candidates 3/7``, rewritten in place and wiped at the end."""

    def __init__(self) -> None:
        self._what, self._total, self._done = "", 0, 0

    def start(self, what: str, total: int) -> None:
        """Begin a stretch of work of ``total`` steps."""
        self._what, self._total, self._done = what, total, 0
        self._show()

    def advance(self, n: int = 1) -> None:
        """``n`` more steps are done."""
        self._done += n
        self._show()

    def finish(self) -> None:
        """Wipe the line."""
        self._write("")

    def _show(self) -> None:
        self._write(f"{self._what} {self._done:,}/{self._total:,}")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[2K{text}")
        sys.stderr.flush()
