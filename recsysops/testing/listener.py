"""A web server on loopback that keeps what it is sent and answers as it is told: for trying notices and pings out."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> dict[str, Any]:
        """The object it carried."""
        value = json.loads(self.text)
        if not isinstance(value, dict):
            raise TypeError(f"{self.path} carried no object")
        return value


@dataclass
class Listener:
    """What a server heard; ``answer`` is its status code. When ``is_slow``, no answer comes before ``hold`` is set."""

    port: int = 0
    answer: int = 202
    heard: list[Received] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    is_slow: bool = False

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        """The same without the scheme."""
        return f"127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        """What was asked for, oldest first."""
        return [one.path for one in self.heard]


def _handler_of(listener: Listener) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length).decode()
            listener.heard.append(Received(self.command, self.path, dict(self.headers.items()), text))
            if listener.is_slow:
                listener.hold.wait()
                return
            self.send_response(listener.answer)
            if 300 <= listener.answer < 400:
                self.send_header("Location", f"{listener.url}/elsewhere")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = do_DELETE = _take  # noqa: N815  (names of the library's)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Nothing is written to the terminal."""

    return Handler


@contextmanager
def listening() -> Iterator[Listener]:
    """A server on a free port of this machine, for the length of the block."""
    listener = Listener()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(listener))
    server.daemon_threads = True
    listener.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        listener.hold.set()
        server.shutdown()
        thread.join()
        server.server_close()
