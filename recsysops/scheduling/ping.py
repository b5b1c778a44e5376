"""A dead man's switch: somebody elsewhere is told that a run started and ended, and raises the alarm when it is silent.

Source:
    The convention of healthchecks.io: ``URL/start``, ``URL`` and ``URL/fail``.
"""

from __future__ import annotations

from typing import Literal

from recsysops.config.variables import unset_variables
from recsysops.notifications.failures import SendError
from recsysops.notifications.http import call

TIMEOUT_SECONDS = 10.0
Moment = Literal["start", "success", "fail"]


def ping(url: str | None, moment: Moment, timeout_seconds: float = TIMEOUT_SECONDS) -> str:
    """Tell the switch. Never raises: a switch that cannot be reached must not break a run.

    Returns:
        what went wrong, without the URL (it is a secret); empty when nothing did, or there is no switch.
    """
    if url is None:
        return ""
    unset = unset_variables(url)
    if unset:
        return f"ping {moment}: the environment variable {unset[0]} is not set"
    address, question, query = url.partition("?")
    address = address.rstrip("/") + ("" if moment == "success" else f"/{moment}")
    try:
        call(address + question + query, None, {}, timeout_seconds)
    except SendError as error:
        return f"ping {moment}: {error}"
    return ""
