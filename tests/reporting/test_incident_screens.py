"""Screens of incidents, from values made by hand: hostile names shown literally, lines that fit, answers first."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from recsysops.incidents.affected import Affected
from recsysops.incidents.desk_values import IncidentCard, IncidentList
from recsysops.incidents.incident import Incident
from recsysops.incidents.milestones import milestones
from recsysops.incidents.response_times import response_times
from recsysops.incidents.ticket import Fact, Owner, Ticket
from recsysops.incidents.trail import Entry
from recsysops.profiles.slices import Slice
from recsysops.reporting.incident_list_view import incident_list_lines
from recsysops.reporting.incident_ticket import ticket_markdown
from recsysops.reporting.incident_view import incident_card_lines
from recsysops.reporting.lines import NARROW, Line
from recsysops.reporting.plain import cells
from recsysops.triage.findings import Finding, Subject

DAY, NOW = date(2026, 11, 20), datetime(2026, 11, 21, 4, 10, tzinfo=UTC)
HOSTILE = "la[red]ng\x1b[31m\u202e'; DROP TABLE x -- [x](http://y) `z` <b>"
FINDING = Finding(
    "INP103", "input.missing_rate", "items", Subject("column", HOSTILE), "null_rate", 0.114, 0.002, 0.005, "critical",
    "upstream", f"{HOSTILE} is NULL", DAY, column=HOSTILE, slice=Slice("market", HOSTILE), low=0.1, high=0.12,
    query="SELECT 1 -- ```",
)  # fmt: skip
INCIDENT = Incident(
    41, "critical", f"{HOSTILE} is NULL", f"market={HOSTILE}", "upstream", "items.lang", DAY, DAY, DAY, "open", 0.03,
    (FINDING.id,), assignee=HOSTILE, muted_until=NOW + timedelta(1), follows=7,
)  # fmt: skip
ENTRIES = (
    Entry("detect", "open", NOW, NOW, 41, "", "open", {"day": "2026-11-20", "run": 3}),
    Entry(HOSTILE, "acknowledge", NOW, NOW, 41, "open", "acknowledged", {"note": HOSTILE}),
)
STEPS = milestones(INCIDENT, ENTRIES)
CARD = IncidentCard(INCIDENT, (FINDING,), ENTRIES, STEPS, (), (42,), (40,), DAY, NOW, 2)
CLOSED = replace(INCIDENT, id=40, status="resolved", resolution="fixed", muted_until=None)
LIST = IncidentList("shop", (INCIDENT, CLOSED), 9, DAY, NOW, response_times([STEPS], NOW))


def text_of(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines).replace(NARROW, " ")


@pytest.mark.parametrize("width", [60, 80, 100])
def test_hostile_names_are_shown_literally_and_tables_fit(width: int) -> None:
    for lines in (list(incident_list_lines(LIST, width)), list(incident_card_lines(CARD, width))):
        text = text_of(lines)
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert all(cells(line.text) <= width for line in incident_list_lines(LIST, width) if "recsysops" not in line.text)


def test_the_first_line_is_the_answer_and_the_last_ones_can_be_pasted() -> None:
    first, *_, last = text_of(list(incident_list_lines(LIST, 200))).splitlines()
    assert first == "shop: 1 incident open (1 critical), nobody has taken any on · judged through 2026-11-20"
    assert last == "       recsysops incident ack 41"
    first, *rest = text_of(list(incident_card_lines(CARD, 200))).splitlines()
    assert first.startswith("Incident 41 is open, with la[red]ng")
    assert rest[-3:] == [
        "next   recsysops incident ack 41",
        "       recsysops incident handoff 41 --csv incident-41.csv",
        "       recsysops incident resolve 41 --as fixed",
    ]
    for words in (
        "Muted until 2026-11-22 04:10 UTC; recorded all the same", "Follows incident 7, about the same",
        "Came back later as incident 42", "Holds what was incident 40", "The audit trail is broken at entry 2",
    ):  # fmt: skip
        assert any(line.startswith(words) for line in rest)
    (done,) = [line for line in text_of(list(incident_list_lines(LIST, 200))).splitlines() if "MTTD" in line]
    assert done.split() == ["found", "(MTTD)", "28.2", "h", "[0", "min,", "∞]", "28.2", "h", "1", "0"]


@pytest.mark.parametrize(
    ("changes", "words", "command"),
    [
        ({"status": "resolved"}, "It went quiet by itself", "incident resolve 41 --as fixed"),
        ({"status": "resolved", "resolution": "fixed"}, "is resolved as fixed", "incident retro 41"),
        ({"status": "merged", "merged_into": 3}, "is merged into #3", "incident show 3"),
        ({"status": "withdrawn"}, "is withdrawn", "incident list"),
        ({"status": "acknowledged", "presence": "resolved"}, "acknowledged, quiet", "incident resolve 41 --as fixed"),
        ({"status": "open", "through": DAY}, "open, came back", "incident resolve 41 --as fixed"),
    ],
)
def test_each_status_in_words_with_what_to_do_next(changes: dict[str, object], words: str, command: str) -> None:
    text = text_of(list(incident_card_lines(replace(CARD, incident=replace(INCIDENT, **changes)), 100)))  # type: ignore[arg-type]
    assert words in " ".join(text.split())
    assert text.endswith(command)


def test_a_ticket_is_markdown_in_which_nothing_of_the_data_is_markup() -> None:
    fact = Fact(HOSTILE, HOSTILE, "null_rate", None, 0.114, 0.1, 0.12, DAY, FINDING.query)
    ids = tuple((f"{HOSTILE}{number}", 20 - number) for number in range(12))
    ticket = Ticket(INCIDENT, HOSTILE, HOSTILE, "", Owner(HOSTILE), (fact,) * 8, Affected(ids, "SELECT 2"))
    text = ticket_markdown(ticket, "items.csv")
    assert "\x1b" not in text
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    assert "](" not in prose.replace("\\]", "")
    assert "<b>" not in prose
    assert "12 items, the first 10; all of them in `items.csv`" in text
    assert "and 2 more of the same cause" in text
    assert text.count("```") == 4
    assert "No list: it is secret" in ticket_markdown(replace(ticket, affected=Affected(reason="it is secret")))
