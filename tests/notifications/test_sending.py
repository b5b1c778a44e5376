"""Each kind of target, spoken to over a real socket: what arrives, what is refused, and what is never said."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from recsysops.config.notification_settings import TargetSettings
from recsysops.notifications.deliver import send_one
from recsysops.notifications.failures import SendError
from recsysops.notifications.notice import Event, Message, Notice
from recsysops.testing.listener import Listener

pytest_plugins = ["recsysops.testing.listener_fixtures"]


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


NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
SECRET = "s3cr3tk3y"
NOTICE = Notice(
    "k", "t", "incident 41", "opened", "critical", Message("critical · s · #41 lost", "why\n\nnext   cmd"), NOW, NOW
)
Serve = Callable[[], Listener]


def pager(kind: str, url: str, timeout_seconds: float = 5.0) -> TargetSettings:
    return TargetSettings.model_validate(
        {"kind": kind, "url": url, "api_key": SECRET, "timeout_seconds": timeout_seconds}
    )


def chat(url: str, timeout_seconds: float = 5.0) -> TargetSettings:
    return TargetSettings(url=url, timeout_seconds=timeout_seconds)


@pytest.mark.parametrize(
    ("event", "action"), [("opened", "trigger"), ("acknowledged", "acknowledge"), ("resolved", "resolve")]
)
def test_pagerduty_knows_an_incident_by_one_key_and_closes_it(serve: Serve, event: Event, action: str) -> None:
    server = serve()
    send_one(pager("pagerduty", server.url), replace(NOTICE, event=event), "streaming")
    (got,) = server.heard
    assert (got.method, got.path) == ("POST", "/v2/enqueue")
    assert got.json["routing_key"] == SECRET
    assert got.json["event_action"] == action
    assert got.json["dedup_key"] == "recsysops/streaming/incident-41"
    assert ("payload" in got.json) == (action == "trigger")
    if action == "trigger":
        assert got.json["payload"]["summary"] == NOTICE.message.title
        assert got.json["payload"]["severity"] == "critical"
        assert got.json["payload"]["custom_details"]["text"] == NOTICE.message.body


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ("opened", "/v2/alerts"),
        ("acknowledged", "/v2/alerts/recsysops%2Fstreaming%2Fincident-41/acknowledge?identifierType=alias"),
        ("resolved", "/v2/alerts/recsysops%2Fstreaming%2Fincident-41/close?identifierType=alias"),
    ],
)
def test_opsgenie_knows_it_by_its_alias(serve: Serve, event: Event, path: str) -> None:
    server = serve()
    send_one(pager("opsgenie", server.url), replace(NOTICE, event=event), "streaming")
    (got,) = server.heard
    assert got.path == path
    assert got.headers["Authorization"] == f"GenieKey {SECRET}"
    if event == "opened":
        assert got.json["alias"] == "recsysops/streaming/incident-41"
        assert got.json["priority"] == "P1"


def test_a_chat_gets_title_and_text_through_apprise(serve: Serve) -> None:
    server = serve()
    send_one(chat(f"json://{server.host}/hook"), NOTICE, "streaming")
    (got,) = server.heard
    assert got.path.startswith("/hook")
    assert (got.json["title"], got.json["type"]) == (NOTICE.message.title, "failure")
    assert got.json["message"] == NOTICE.message.body


@pytest.mark.parametrize("kind", ["pagerduty", "opsgenie", "apprise"])
@pytest.mark.parametrize("answer", [400, 401, 429, 500, 302])
def test_a_refusal_is_said_without_key_or_address(serve: Serve, kind: str, answer: int) -> None:
    server = serve()
    server.answer = answer
    target = chat(f"json://{server.host}/{SECRET}") if kind == "apprise" else pager(kind, server.url)
    with pytest.raises(SendError) as caught:
        send_one(target, NOTICE, "streaming")
    assert SECRET not in str(caught.value)
    assert str(server.port) not in str(caught.value)
    assert len(server.heard) == 1  # nobody is followed elsewhere
    if kind != "apprise":
        assert str(answer) in str(caught.value)


@pytest.mark.parametrize("kind", ["pagerduty", "opsgenie", "apprise"])
def test_nobody_there_is_said(dead_port: int, kind: str) -> None:
    url = f"json://127.0.0.1:{dead_port}/{SECRET}"
    target = chat(url) if kind == "apprise" else pager(kind, f"http://127.0.0.1:{dead_port}")
    with pytest.raises(SendError) as caught:
        send_one(target, NOTICE, "streaming")
    assert SECRET not in str(caught.value)
    if kind != "apprise":
        assert "connection refused" in str(caught.value)


@pytest.mark.parametrize("kind", ["pagerduty", "opsgenie", "apprise"])
def test_one_who_never_answers_is_not_waited_for(serve: Serve, kind: str) -> None:
    server = serve()
    server.is_slow = True
    target = chat(f"json://{server.host}/x", 0.2) if kind == "apprise" else pager(kind, server.url, 0.2)
    with pytest.raises(SendError):
        send_one(target, NOTICE, "streaming")
    assert len(server.heard) == 1
    server.hold.set()
    for thread in threading.enumerate():
        if thread.name == "recsysops-send":
            thread.join()


def test_one_who_drips_is_not_waited_for(dripping: str) -> None:
    with pytest.raises(SendError, match="no answer within"):
        send_one(pager("pagerduty", dripping, 0.3), NOTICE, "streaming")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "not a url", "http://[::1"])
def test_only_web_addresses_are_called(url: str) -> None:
    with pytest.raises(SendError, match="address"):
        send_one(pager("pagerduty", url), NOTICE, "streaming")


def test_a_url_that_apprise_does_not_know_is_said() -> None:
    with pytest.raises(SendError, match="does not know") as caught:
        send_one(chat(f"nonsense://{SECRET}"), NOTICE, "streaming")
    assert SECRET not in str(caught.value)


def test_an_unset_variable_is_named() -> None:
    with pytest.raises(SendError, match="variable HOOK is not set"):
        send_one(chat("json://${HOOK}/x"), NOTICE, "streaming")
