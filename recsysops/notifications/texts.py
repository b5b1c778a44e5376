"""The words of a notice: the answer on the first line, then why, then commands to paste. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsysops.incidents.incident import Incident
from recsysops.notifications.hiding import harmless
from recsysops.notifications.notice import Event, Message, Notice
from recsysops.profiles.slices import EVERYTHING
from recsysops.reporting.finding_lines import Heading, incident_lines, since
from recsysops.reporting.lines import NARROW
from recsysops.reporting.numbers import count
from recsysops.reporting.plain import literal
from recsysops.triage.findings import Finding, Severity

WIDTH = 100
TITLE_WIDTH = 200
N_DIGEST = 20
_SAID: dict[Event, str] = {"worsened": "now critical", "reopened": "is back", "acknowledged": "acknowledged"}


@dataclass(frozen=True)
class Voice:
    """In whose name notices speak, and how their commands begin."""

    workspace: str
    command: str
    """``recsysops --workspace PATH``, as it can be pasted anywhere on that machine."""
    incident_words: tuple[str, ...] = ()
    """Further commands about an incident: ``incident show {id}``."""


def incident_message(
    event: Event, incident: Incident, findings: Sequence[Finding], voice: Voice, *, owner: str
) -> Message:
    """What happened to an incident; members are hidden before."""
    what = literal(incident.headline) + (
        "" if incident.where == str(EVERYTHING) else f", only {literal(incident.where)}"
    )
    state = _SAID.get(event) or (_ending(incident) if event == "resolved" else incident.severity)
    title = _title(f"{state} · {literal(voice.workspace)} · #{incident.id} {what}")
    heading = Heading(incident.severity, "", "", "", "", incident.impact)
    proofs = [line.text.strip() for line in incident_lines(heading, findings, WIDTH, verbose=False)][1:]
    began = since(incident.onset, incident.last_seen)
    about = f"{began} · last seen {incident.last_seen} · {incident.severity} · stage {incident.stage}"
    people = [f"owner {literal(owner)}"] if owner else []
    why = [about, *people, *([] if event in ("resolved", "acknowledged") else proofs)]
    words = [each.format(id=incident.id) for each in voice.incident_words]
    words += [f"detect --date {incident.last_seen} --verbose"]
    words += [f"detectors show {one.detector}" for one in findings[:1]]
    return Message(title, _body(why, [f"{voice.command} {each}" for each in words]))


def entry_line(event: Event, incident: Incident) -> str:
    """One line of the digest."""
    where = "" if incident.where == str(EVERYTHING) else f", only {literal(incident.where)}"
    said = "resolved" if event == "resolved" else event
    what = f"{said} · {incident.severity} · #{incident.id} {literal(incident.headline)}{where}"
    return _title(f"{what} · since {incident.onset}")


def digest_message(entries: Sequence[Notice], voice: Voice) -> Message:
    """All that waited for the digest, in one message: what is new first, the most recent incidents on top."""
    events: list[Event] = ["opened", "reopened", "worsened", "resolved"]
    counted = [(event, sum(one.event == event for one in entries)) for event in events]
    tally = ", ".join(f"{n} {event}" for event, n in counted if n)
    title = _title(f"digest · {literal(voice.workspace)} · {count(len(entries), 'incident')} changed: {tally}")
    ordered = sorted(entries, key=lambda one: (events.index(one.event), -(one.incident or 0)))
    lines = [one.message.title for one in ordered[:N_DIGEST]]
    lines += [f"… and {len(entries) - N_DIGEST} more"] if len(entries) > N_DIGEST else []
    commands = list(dict.fromkeys(_first_command(one.message.body) for one in ordered[:3]))
    return Message(title, _joined(lines, [each for each in commands if each]))


def watch_message(
    event: Event, severity: Severity, what: str, reason: str, voice: Voice, commands: Sequence[str]
) -> Message:
    """A run could not look, or it can again."""
    state = f"{severity} · could not look" if event == "blind" else "looks again"
    title = _title(f"{state} · {literal(voice.workspace)} · {literal(what)}")
    return Message(title, _body([literal(reason)] if reason else [], [f"{voice.command} {each}" for each in commands]))


def trial_message(target: str, voice: Voice) -> Message:
    """That a target works."""
    title = _title(f"test · {literal(voice.workspace)} · notices for {literal(target)} arrive here")
    return Message(title, _body(["Nothing is wrong: somebody asked for this test."], [f"{voice.command} detect"]))


def _ending(incident: Incident) -> str:
    if incident.status == "merged":
        return f"merged into #{incident.merged_into}"
    return "withdrawn (judged again, no longer there)" if incident.status == "withdrawn" else "resolved"


def _title(text: str) -> str:
    return harmless(literal(text.replace(NARROW, " "), TITLE_WIDTH))


def _body(why: Sequence[str], commands: Sequence[str]) -> str:
    return _joined([harmless(line.replace(NARROW, " ")) for line in why if line], commands)


def _joined(lines: Sequence[str], commands: Sequence[str]) -> str:
    shown = [("next   " if number == 0 else "       ") + command for number, command in enumerate(commands)]
    return "\n".join([*lines, "", *shown] if shown else lines)


def _first_command(body: str) -> str:
    return next((line.removeprefix("next   ") for line in body.splitlines() if line.startswith("next   ")), "")
