"""Progress on stderr, for people only: one line that rewrites itself, nothing in a pipe."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from recsysops.cli.options import Options
from recsysops.reporting.lines import NARROW
from recsysops.reporting.numbers import seconds

if TYPE_CHECKING:
    from recsysops.engines.progress import Progress


def progress_for(options: Options) -> Progress:
    """A progress line where stderr is a terminal and nobody asked for quiet; else silence."""
    from recsysops.engines.progress import SILENT

    return ProgressLine() if sys.stderr.isatty() and not options.quiet else SILENT


PATIENCE_SECONDS = 10.0
"""Before that nobody wonders how long it will take."""
AT_ONCE_SECONDS = 0.5
"""Steps done this soon were found done."""


class ProgressLine:
    """``counting candidates 3/7 · 4 min left``, rewritten in place and wiped at the end."""

    def __init__(self) -> None:
        self._what, self._total, self._done = "", 0, 0
        self._started, self._found = 0.0, 0

    def start(self, what: str, total: int) -> None:
        """Begin a stretch of work of ``total`` steps."""
        self._what, self._total, self._done = what, total, 0
        self._started = time.monotonic()
        self._show()

    def advance(self, n: int = 1) -> None:
        """``n`` more steps are done."""
        self._done += n
        if time.monotonic() - self._started < AT_ONCE_SECONDS:
            self._found = self._done
        self._show()

    def finish(self) -> None:
        """Wipe the line."""
        self._write("")

    def _show(self) -> None:
        self._write(f"{self._what} {self._done:,}/{self._total:,}{self._left()}")

    def _left(self) -> str:
        """`` · 21 min left`` at the pace so far, once there is one; what an earlier run had done does not count."""
        took = time.monotonic() - self._started
        n_new = self._done - self._found
        if took < PATIENCE_SECONDS or n_new <= 0 or self._done >= self._total:
            return ""
        return f" · {seconds(took / n_new * (self._total - self._done))} left".replace(NARROW, " ")

    def _write(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[2K{text}")
        sys.stderr.flush()
