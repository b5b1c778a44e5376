"""The last runs in the text format of Prometheus, for the node exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time
from pathlib import Path

from recsysops.errors import ConfigError
from recsysops.incidents.calendar import end_of
from recsysops.notifications.run_note import RunNote
from recsysops.tables.atomic import write_atomically
from recsysops.triage.findings import SEVERITIES

Sample = tuple[dict[str, str], float]


def write_metrics(path: Path, workspace: str, notes: Sequence[RunNote], now: datetime) -> None:
    """Write the file whole; a scrape sees the old one or the new one.

    Raises:
        ConfigError: if it cannot be written.
    """
    text = exposition(workspace, notes, now)

    def write(temporary: Path) -> None:
        temporary.write_text(text)
        temporary.chmod(0o644)  # the exporter is another user

    try:
        write_atomically(path, write)
    except OSError as error:
        found = f"{path}: {error.strerror or error}"
        raise ConfigError("metrics.textfile", found=found, expected="a file in a folder that can be written") from None


def exposition(workspace: str, notes: Sequence[RunNote], now: datetime) -> str:
    """All metrics, each with its help and type.

    Args:
        workspace: its name, a label of every sample.
        notes: the last run of each tier.
        now: the present moment; ages are as of then.
    """
    return "".join(line + "\n" for family in _families(notes, now) for line in _lines(workspace, *family))


def _families(notes: Sequence[RunNote], now: datetime) -> Iterator[tuple[str, str, list[Sample]]]:
    tiers = [({"tier": note.tier}, note) for note in notes]
    yield "last_run_timestamp_seconds", "When the last run ended.", [(tag, one.ended.timestamp()) for tag, one in tiers]
    yield (
        "last_good_run_timestamp_seconds",
        "When the last run ended that looked at everything.",
        [(tag, one.last_good.timestamp()) for tag, one in tiers if one.last_good],
    )
    yield "last_run_exit_code", "Exit code of the last run.", [(tag, one.exit_code) for tag, one in tiers]
    yield "last_run_duration_seconds", "How long the last run took.", [(tag, one.seconds) for tag, one in tiers]
    skipped: list[Sample] = [(tag, one.n_skipped) for tag, one in tiers if one.n_skipped is not None]
    yield "skipped_detectors", "Detectors that failed in the last run that judged a day.", skipped
    judged = [(tag, datetime.combine(one.judged_day, time(), UTC).timestamp()) for tag, one in tiers if one.judged_day]
    yield "judged_day_timestamp_seconds", "Start of the newest judged day.", judged
    ages = [(tag, (now - end_of(one.data_day)).total_seconds()) for tag, one in tiers if one.data_day]
    yield "data_age_seconds", "Time since the end of the newest judged day that had candidates.", ages
    newest = max(notes, key=lambda note: note.ended, default=None)
    counts = newest.n_open if newest else {}
    opened: list[Sample] = [({"severity": one}, counts.get(one, 0)) for one in SEVERITIES if newest]
    yield "open_incidents", "Incidents that are open, by severity.", opened


def _lines(workspace: str, name: str, about: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP recsysops_{name} {about}"
    yield f"# TYPE recsysops_{name} gauge"
    for labels, value in samples:
        shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in {"workspace": workspace, **labels}.items())
        yield f"recsysops_{name}{{{shown}}} {float(value)!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
