"""Servers on loopback for the tests of this folder."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

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


@pytest.fixture
def dripping() -> Iterator[str]:
    """The address of a server that sends one byte of its answer at a time, and never the last."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                for byte in itertools.chain(b"HTTP/1.1 200 OK\r\nX: ", itertools.repeat(120)):
                    if stop.wait(0.02):
                        return
                    connection.send(bytes([byte]))

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        stop.set()
        thread.join()
