"""Libraries that come with an extra: loaded when a workspace names what needs them, and else never."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from recsysops.errors import PluginError


def needed(module: str, extra: str, where: str) -> Any:
    """The module.

    Args:
        module: its dotted name.
        extra: the extra of ``recsysops`` that installs it.
        where: what needs it, for the message.

    Raises:
        PluginError: if it is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name.partition(".")[0]):
            raise  # it is there, but something that it needs itself is not
        raise missing(module, extra, where) from error


def missing(module: str, extra: str, where: str) -> PluginError:
    """The error for an extra that is not installed."""
    return PluginError(
        where,
        found=f"no {module.partition('.')[0]}",
        expected=f"the extra {extra!r}",
        next_step=f"pip install 'recsysops[{extra}]'",
    )
