"""What goes wrong while logging is counted at once and said rarely: never on the request path, at most once a minute."""

from __future__ import annotations

import logging

LOG = logging.getLogger("recsysops.serving")
PERIOD_SECONDS = 60.0


class Problems:
    """The latest problem, until it has been said."""

    def __init__(self) -> None:
        self.latest = ""
        self._is_new = False
        self._said_at = float("-inf")

    def note(self, error: BaseException, doing: str) -> None:
        """Remember a problem; cheap and safe on every thread."""
        self.latest = f"{doing}: {type(error).__name__} {error}"[:500]
        self._is_new = True

    def say(self, now_seconds: float) -> None:
        """Warn of the latest problem through ``logging``, unless another was said less than a minute ago."""
        if self._is_new and now_seconds - self._said_at >= PERIOD_SECONDS:
            self._is_new, self._said_at = False, now_seconds
            LOG.warning("%s", self.latest)
