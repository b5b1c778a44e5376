"""A notice that did not arrive, in words that hold no secret."""

from __future__ import annotations

import threading
from collections.abc import Callable


class SendError(Exception):
    """A target refused a notice or did not answer; the text may be shown and logged."""


def within(seconds: float, call: Callable[[], None]) -> None:
    """Run the call, and wait no longer than that: a server that drips one byte at a time outlives every socket timeout.

    Raises:
        SendError: if it takes longer (it is left behind, as a daemon), or what the call raised.
    """
    raised: list[BaseException] = []

    def work() -> None:
        try:
            call()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work, daemon=True, name="recsysops-send")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise SendError(f"no answer within {seconds:g} s")
    if raised:
        raise raised[0]
