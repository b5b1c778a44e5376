"""Fixtures of pytest for servers on loopback: ``pytest_plugins = ["recsysops.testing.listener_fixtures"]``."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from recsysops.testing.listener import Listener, listening


@pytest.fixture
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is spoken to directly, whatever the machine's proxies are."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def serve(direct: None) -> Iterator[Callable[[], Listener]]:
    """Starts a server; all of them are stopped at the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(listening())


@pytest.fixture
def dead_port(direct: None) -> int:
    """A port of this machine on which nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as freed:
        return int(freed.getsockname()[1])
