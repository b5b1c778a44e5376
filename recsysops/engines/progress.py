"""How long work tells that it is going on: a protocol, silent unless a command line listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told of a stretch of work with a known number of steps."""

    def start(self, what: str, total: int) -> None: ...
    def advance(self, n: int = 1) -> None: ...
    def finish(self) -> None: ...


class Silent:
    """Progress for library users: nothing is shown."""

    def start(self, what: str, total: int) -> None:
        """Nothing is shown."""

    def advance(self, n: int = 1) -> None:
        """Nothing is shown."""

    def finish(self) -> None:
        """Nothing is shown."""


SILENT: Progress = Silent()
