"""Servers on loopback for the tests of this folder."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from recsysops.testing.listener import Listener, listening


@pytest.fixture
def serve() -> Iterator[Callable[[], Listener]]:
    """Starts a server; all of them are stopped at the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(listening())


@pytest.fixture
def dead_port() -> int:
    """A port of this machine on which nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as freed:
        return int(freed.getsockname()[1])


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is spoken to directly, whatever the machine's proxies are."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
