"""The screen of one incident: of ``incident show``, and of every verb that did something to it."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.incidents.desk_values import IncidentCard
from recsysops.incidents.milestones import Milestones
from recsysops.incidents.trail import Entry
from recsysops.reporting.finding_lines import STYLES, Heading, incident_lines, since
from recsysops.reporting.incident_list_view import hours, status_words
from recsysops.reporting.lines import Line, next_lines, wrapped
from recsysops.reporting.plain import literal

N_ENTRIES = 8


def incident_card_lines(
    card: IncidentCard, width: int, *, verbose: bool = False, command: str = "recsysops"
) -> Iterator[Line]:
    """Answer, proofs, what follows from it, its history, what to do next."""
    incident = card.incident
    today = card.last_judged or incident.last_seen
    status = card.did or f"{status_words(incident)}"
    taken = f", with {literal(incident.assignee)}" if incident.assignee and incident.is_active and not card.did else ""
    seen = since(incident.onset, today)
    yield from wrapped(
        f"Incident {incident.id} {literal(status) if card.did else 'is ' + status}{taken}: {literal(incident.headline)}",
        width,
        style=STYLES[incident.severity] if incident.is_active else "green",
    )
    yield Line("")
    last = "" if incident.last_seen == today else f", last seen {incident.last_seen}"
    heading = Heading(
        incident.severity, f"#{incident.id}", incident.headline, incident.where, seen + last, incident.impact
    )
    yield from incident_lines(heading, card.findings, width, verbose=verbose)
    yield Line("")
    yield from _facts(card, width)
    yield from _spans(card.milestones, width)
    yield from _history(card, width, verbose=verbose)
    yield Line("")
    yield from next_lines(f"{command} {words}" for words in _next(card))


def _facts(card: IncidentCard, width: int) -> Iterator[Line]:
    incident = card.incident
    if incident.is_muted(card.now) and incident.muted_until is not None:
        yield from wrapped(f"Muted until {incident.muted_until:%Y-%m-%d %H:%M} UTC; recorded all the same", width)
    if incident.follows is not None:
        yield from wrapped(f"Follows incident {incident.follows}, about the same", width)
    if card.followed_by:
        yield from wrapped(f"Came back later as incident {_numbers(card.followed_by)}", width)
    if card.merged:
        yield from wrapped(f"Holds what was incident {_numbers(card.merged)}", width)
    for one in card.rebaselines:
        what = f"{one.table}.{one.column}" if one.column else one.subject.id
        yield from wrapped(
            f"Normal again for {literal(what)} from {one.from_day} on; days before are no reference", width
        )
    if incident.resolution is None and incident.status == "resolved":
        yield from wrapped("It went quiet by itself; limits learn from what it was:", width)
    if incident.is_active or (incident.resolution is None and incident.status == "resolved"):
        yield from wrapped("It can be resolved as fixed (real), as expected (the new normal) or as false-alarm", width)


def _spans(steps: Milestones, width: int) -> Iterator[Line]:
    if steps.in_hindsight:
        yield from wrapped("Found in hindsight: its days were over before the first run here", width)
    elif steps.spans():
        parts = [f"{hours(spent)} until {step}" for step, spent in steps.spans()]
        waiting = ", still open" if steps.is_active else ""
        yield from wrapped(f"Where the time went: {' · '.join(parts)}{waiting}", width)


def _history(card: IncidentCard, width: int, *, verbose: bool) -> Iterator[Line]:
    if not card.entries:
        return
    shown = card.entries if verbose else card.entries[-N_ENTRIES:]
    more = len(card.entries) - len(shown)
    yield Line("History" + (f" (the newest {len(shown)}, {more} more with --verbose)" if more else ""))
    for entry in shown:
        yield from wrapped(entry_words(entry), width, indent=2, style="dim")
    if card.broken_at is not None:
        text = f"The audit trail is broken at entry {card.broken_at}: somebody altered or removed it by other means"
        yield from wrapped(text, width, style="red")


def entry_words(entry: Entry) -> str:
    """``2026-11-20 04:10 UTC  anna  acknowledge: open → acknowledged (why)``."""
    change = entry.after if not entry.before else f"{entry.before} → {entry.after}"
    change = f"still {entry.after}" if entry.before == entry.after else change
    details = ", ".join(f"{name} {value}" for name, value in entry.details.items() if name != "run")
    words = f"{entry.at:%Y-%m-%d %H:%M} UTC  {entry.who}  {entry.action}: {change}" + (
        f" ({details})" if details else ""
    )
    return literal(words)


def _numbers(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))


def _next(card: IncidentCard) -> Iterator[str]:
    number, status = card.incident.id, card.incident.status
    if status == "open":
        yield f"incident ack {number}"
    if card.incident.is_active:
        yield f"incident handoff {number} --csv incident-{number}.csv"
        yield f"incident resolve {number} --as fixed"
    elif status == "merged":
        yield f"incident show {card.incident.merged_into}"
    elif status == "resolved" and card.incident.resolution is None:
        yield f"incident resolve {number} --as fixed"
    elif status in ("resolved", "retro"):
        yield f"incident retro {number}" if status == "resolved" else "incident list"
    else:
        yield "incident list"
