"""The outbox from run to run: told once, tried again, held in the night, one digest a day."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recsysops.config.settings import WorkspaceSettings
from recsysops.incidents.incident import Incident
from recsysops.incidents.state import State
from recsysops.notifications.deliver import Delivery, send_waiting
from recsysops.notifications.outbox import Outbox
from recsysops.notifications.telling import Teller
from recsysops.notifications.texts import Voice
from recsysops.notifications.watching import Blindness, failed_run
from recsysops.testing.listener import Listener
from recsysops.triage.findings import Severity

pytest_plugins = ["recsysops.testing.listener_fixtures"]

Serve = Callable[[], Listener]
DAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def incident(number: int, severity: Severity = "warning", **changes: Any) -> Incident:
    known = Incident(
        number, severity, f"column c{number} is NULL", "all rows", "feature", f"candidates.c{number}", DAY, DAY, DAY,
        "open", 0.1,
    )  # fmt: skip
    return replace(known, **changes)


class Site:
    """A workspace with a chat and a pager, whose runs are played one after the other."""

    def __init__(self, folder: Path, chat: str, pager: str, **notifications: Any) -> None:
        targets = {
            "chat": {"url": chat, "timeout_seconds": 0.5},
            "oncall": {"kind": "pagerduty", "api_key": "k", "url": pager, "timeout_seconds": 0.5},
        }
        settings = {"name": "shop", "tables": {}, "notifications": {"targets": targets, **notifications}}
        self.settings = WorkspaceSettings.model_validate(settings)
        self.folder = folder

    def run(
        self,
        now: datetime,
        *incidents: Incident,
        digest: bool = False,
        blind: Sequence[Blindness] | None = None,
        muted: frozenset[int] = frozenset(),
    ) -> Delivery:
        with self.outbox() as outbox:
            teller = Teller(outbox, self.settings, Voice("shop", "recsysops"), now)
            teller.incidents(incidents, lambda ids: {})
            if blind is not None:
                teller.watch("daily", blind, "run", "detectors")
            if digest:
                teller.digest(muted)
            return send_waiting(outbox, self.settings.notifications, "shop", now, muted=muted)

    @contextmanager
    def outbox(self) -> Iterator[Outbox]:
        with State(self.folder) as state:
            yield Outbox(state)


@pytest.fixture
def servers(serve: Serve) -> tuple[Listener, Listener]:
    return serve(), serve()


@pytest.fixture
def site(tmp_path: Path, servers: tuple[Listener, Listener]) -> Site:
    return Site(tmp_path / "state", f"json://{servers[0].host}", servers[1].url)


def titles(chat: Listener) -> list[str]:
    return [one.json["title"] for one in chat.heard]


def actions(pager: Listener) -> list[tuple[str, str]]:
    return [(one.json["event_action"], one.json["dedup_key"].rpartition("/")[2]) for one in pager.heard]


def test_a_critical_incident_is_told_once_and_closed_when_it_is_over(
    site: Site, servers: tuple[Listener, Listener]
) -> None:
    chat, pager = servers
    assert site.run(NOON, incident(1, "critical")) == Delivery(2, 0, ())
    for hour in range(1, 4):
        assert site.run(NOON + hour * HOUR, incident(1, "critical")).n_sent == 0
    site.run(NOON + 4 * HOUR, incident(1, "critical", status="acknowledged"))
    site.run(NOON + 5 * HOUR, incident(1, "critical", status="resolved"))
    site.run(NOON + 6 * HOUR, incident(1, "critical", status="resolved"))
    site.run(NOON + 7 * HOUR, incident(1, "critical"))
    words = ["trigger", "acknowledge", "resolve", "trigger"]
    assert actions(pager) == [(word, "incident-1") for word in words]
    assert [title.split(" · ")[0] for title in titles(chat)] == ["critical", "resolved", "is back"]


def test_warnings_wait_for_the_digest_and_there_is_one_a_day(site: Site, servers: tuple[Listener, Listener]) -> None:
    chat, pager = servers
    assert site.run(NOON, incident(1), incident(2)) == Delivery(0, 2, ())
    assert site.run(NOON + HOUR, incident(1), incident(2), digest=True) == Delivery(1, 0, ())
    assert site.run(NOON + 2 * HOUR, incident(1), incident(2), incident(3), digest=True) == Delivery(0, 1, ())
    assert site.run(NOON + 24 * HOUR, incident(3), incident(2, status="resolved"), digest=True).n_sent == 1
    assert not pager.heard
    assert titles(chat) == [
        "digest · shop · 2 incidents changed: 2 opened",
        "digest · shop · 2 incidents changed: 1 opened, 1 resolved",
    ]
    assert (
        chat.heard[1].json["message"].startswith("opened · warning · #3 column c3 is NULL · since 2026-11-20\nresolved")
    )


def test_a_warning_that_becomes_critical_pages_at_once(site: Site, servers: tuple[Listener, Listener]) -> None:
    chat, pager = servers
    site.run(NOON, incident(1))
    site.run(NOON + HOUR, incident(1, "critical"))
    site.run(NOON + 2 * HOUR, incident(1, "warning"), digest=True)
    site.run(NOON + 3 * HOUR, incident(1, "critical"), digest=True)
    assert actions(pager) == [("trigger", "incident-1")]
    assert titles(chat) == ["now critical · shop · #1 column c1 is NULL"]


def test_what_was_over_before_anybody_heard_of_it_is_not_told(site: Site, servers: tuple[Listener, Listener]) -> None:
    assert site.run(NOON, incident(1, "critical", status="resolved"), digest=True) == Delivery()
    assert not servers[0].heard + servers[1].heard


def test_a_dead_target_is_tried_again_and_keeps_nobody_else_from_hearing(
    site: Site, servers: tuple[Listener, Listener]
) -> None:
    chat, pager = servers
    pager.answer = 503
    first = site.run(NOON, incident(1, "critical"), incident(2, "critical"))
    assert (first.n_sent, first.n_waiting) == (2, 2)
    assert first.problems == ("oncall: the server answered 503 Service Unavailable; tried again by the next run",)
    assert len(pager.heard) == 1  # it is left alone for the rest of the run
    pager.answer = 202
    pager.heard.clear()
    assert site.run(NOON + HOUR, incident(1, "critical"), incident(2, "critical")) == Delivery(2, 0, ())
    assert sorted(actions(pager)) == [("trigger", "incident-1"), ("trigger", "incident-2")]
    assert len(chat.heard) == 2


def test_a_slow_target_is_cut_off(site: Site, servers: tuple[Listener, Listener]) -> None:
    chat, pager = servers
    chat.is_slow = True
    told = site.run(NOON, incident(1, "critical"), incident(2, "critical"))
    assert (told.n_sent, told.n_waiting) == (2, 2)
    assert told.problems[0].startswith("chat: ")
    assert [word for word, _ in actions(pager)] == ["trigger", "trigger"]
    chat.hold.set()
    for thread in threading.enumerate():
        if thread.name == "recsysops-send":
            thread.join()


def test_one_notice_that_is_refused_for_ever_does_not_block_the_others(
    site: Site, servers: tuple[Listener, Listener]
) -> None:
    _, pager = servers
    pager.answer = 400
    site.run(NOON, incident(1, "critical"))
    pager.answer = 202
    pager.heard.clear()
    site.run(NOON + HOUR, incident(1, "critical"), incident(2, "critical"))
    assert actions(pager) == [("trigger", "incident-2"), ("trigger", "incident-1")]


def test_an_undelivered_trigger_is_replaced_by_what_is_true_now(site: Site, servers: tuple[Listener, Listener]) -> None:
    _, pager = servers
    pager.answer = 500
    site.run(NOON, incident(1, "critical"))
    pager.answer = 202
    pager.heard.clear()
    site.run(NOON + HOUR, incident(1, "critical", status="resolved"))
    assert actions(pager) == [("resolve", "incident-1")]


def test_an_acknowledgement_does_not_overtake_its_trigger(site: Site, servers: tuple[Listener, Listener]) -> None:
    _, pager = servers
    pager.answer = 500
    site.run(NOON, incident(1, "critical"))
    site.run(NOON + HOUR, incident(1, "critical", status="acknowledged"))
    pager.answer = 202
    pager.heard.clear()
    site.run(NOON + 2 * HOUR, incident(1, "critical", status="acknowledged"))
    site.run(NOON + 3 * HOUR, incident(1, "critical", status="acknowledged"))
    assert [word for word, _ in actions(pager)] == ["trigger", "acknowledge"]


def test_what_never_arrives_is_given_up_and_said_once(site: Site, servers: tuple[Listener, Listener]) -> None:
    servers[1].answer = 500
    site.run(NOON, incident(1, "critical"))
    late = site.run(NOON + timedelta(days=8), incident(1, "critical"))
    assert late.problems == ("oncall: gave up on a notice of 2026-11-20 (incident 1)",)
    assert site.run(NOON + timedelta(days=9), incident(1, "critical")) == Delivery()


def test_the_night_is_quiet_but_for_what_is_critical(tmp_path: Path, servers: tuple[Listener, Listener]) -> None:
    chat, pager = servers
    quiet = {"start": "22:00", "end": "07:00", "timezone": "Europe/Oslo"}
    site = Site(tmp_path / "state", f"json://{chat.host}", pager.url, quiet_hours=quiet)
    night = datetime(2026, 11, 20, 23, tzinfo=UTC)
    open_ = [incident(1, "critical"), incident(2)]
    assert site.run(night, *open_, digest=True) == Delivery(2, 1, ())
    over = [incident(1, "critical", status="resolved"), incident(2)]
    assert site.run(night + HOUR, *over).n_sent == 1  # the pager's alert is closed without waking anybody
    assert titles(chat) == ["critical · shop · #1 column c1 is NULL"]
    assert site.run(datetime(2026, 11, 21, 5, 59, tzinfo=UTC), *over).n_sent == 0
    assert site.run(datetime(2026, 11, 21, 6, 0, tzinfo=UTC), *over).n_sent == 2
    assert [title.split(" · ")[0] for title in titles(chat)] == ["critical", "digest", "resolved"]


def test_a_muted_incident_is_not_told_until_its_mute_ends(site: Site, servers: tuple[Listener, Listener]) -> None:
    chat, pager = servers
    muted = incident(1, "critical", muted_until=NOON + 2 * HOUR)
    assert site.run(NOON, muted) == Delivery()
    assert site.run(NOON + HOUR, muted) == Delivery()
    assert site.run(NOON + 3 * HOUR, muted).n_sent == 2
    assert [word for word, _ in actions(pager)] == ["trigger"]
    assert len(chat.heard) == 1


def test_what_waits_for_a_target_is_held_while_the_incident_is_muted(
    site: Site, servers: tuple[Listener, Listener]
) -> None:
    _, pager = servers
    pager.answer = 500
    site.run(NOON, incident(1, "critical"))
    pager.answer = 202
    pager.heard.clear()
    muted = incident(1, "critical", muted_until=NOON + 2 * HOUR)
    assert site.run(NOON + HOUR, muted, muted=frozenset({1})) == Delivery(0, 1, ())
    assert site.run(NOON + 3 * HOUR, muted) == Delivery(1, 0, ())
    assert [word for word, _ in actions(pager)] == ["trigger"]


def test_the_digest_leaves_out_what_was_muted_meanwhile(site: Site, servers: tuple[Listener, Listener]) -> None:
    site.run(NOON, incident(1), incident(2))
    told = site.run(NOON + HOUR, digest=True, muted=frozenset({1}))
    assert told == Delivery(1, 1, ())
    assert "#1 " not in servers[0].heard[0].json["message"]


def test_a_run_that_could_not_look_is_told_once_per_change(site: Site, servers: tuple[Listener, Listener]) -> None:
    chat, pager = servers
    broken = failed_run(3, "MemoryError: too much")
    for hour in range(3):
        site.run(NOON + hour * HOUR, blind=[broken])
    site.run(NOON + 4 * HOUR, blind=[failed_run(-9, "")])
    for hour in range(5, 8):
        site.run(NOON + hour * HOUR, blind=[])
    assert [title.split(" · ")[0] for title in titles(chat)] == ["critical", "critical", "looks again"]
    assert "exit code 3" in titles(chat)[0]
    assert "signal 9" in titles(chat)[1]
    assert actions(pager) == [(word, "watch-daily-run") for word in ("trigger", "trigger", "resolve")]


def test_a_target_that_was_taken_out_of_the_settings_is_forgotten(
    site: Site, servers: tuple[Listener, Listener], tmp_path: Path
) -> None:
    servers[1].answer = 500
    site.run(NOON, incident(1, "critical"))
    with site.outbox() as outbox:
        only_chat = site.settings.notifications.model_copy(
            update={"targets": {"chat": site.settings.notifications.targets["chat"]}}
        )
        assert send_waiting(outbox, only_chat, "shop", NOON) == Delivery()


def test_a_state_from_before_there_were_notices_gets_its_tables(tmp_path: Path) -> None:
    from sqlalchemy import inspect

    from recsysops.incidents.schema import notices, told

    with State(tmp_path) as state:
        with state.transaction() as connection:
            notices.drop(connection)
            told.drop(connection)
        assert Outbox(state).waiting() == ()
        with state.transaction() as connection:
            assert {"notices", "told"} <= set(inspect(connection).get_table_names())
