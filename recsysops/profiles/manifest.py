"""Which partitions a table has had: those that are there now, and those that vanished but are still history.

Logs are deleted after some weeks; their counts are not. But when files are rewritten under new names (compacted, moved),
the old ones vanish as well, and their rows must not be counted twice. So a vanished partition stays in the history until a
partition that appeared at or after its disappearance has rows of the same days.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from recsysops.errors import StateError
from recsysops.profiles.history import PartitionFacts
from recsysops.tables.atomic import write_atomically


@dataclass(frozen=True)
class Known:
    """A partition under its newest fingerprint. Runs are numbered; ``vanished`` is the first run that missed it."""

    key: str
    fingerprint: str
    first_seen: int
    days: tuple[date, ...]
    vanished: int | None = None


@dataclass(frozen=True)
class Manifest:
    """The partitions of one table over all runs so far."""

    run: int
    known: Mapping[str, Known]

    def after(self, present: Iterable[PartitionFacts], unreadable: Collection[str] = ()) -> Manifest:
        """The manifest once a run has counted ``present`` and found nothing else but partitions it could not read.

        Those, by key, stay what they were when they could last be read.
        """
        run = self.run + 1
        seen = {facts.key: facts for facts in present}
        known = {
            key: entry if key in unreadable else _missed(entry, run)
            for key, entry in self.known.items()
            if key not in seen
        }
        for key, facts in seen.items():
            before = self.known.get(key)
            is_same = before is not None and before.fingerprint == facts.fingerprint and before.vanished is None
            first_seen = before.first_seen if before is not None and is_same else run
            known[key] = Known(key, facts.fingerprint, first_seen, tuple(day for day, _ in facts.days))
        return Manifest(run, known)

    @property
    def live(self) -> tuple[Known, ...]:
        """The partitions whose counts make up the history, in order of key."""
        present = [entry for entry in self.known.values() if entry.vanished is None]
        kept = [
            entry for entry in self.known.values() if entry.vanished is not None and not _is_replaced(entry, present)
        ]
        return tuple(sorted((*present, *kept), key=lambda entry: entry.key))

    @property
    def vanished(self) -> tuple[Known, ...]:
        """Live partitions whose files are no longer there."""
        return tuple(entry for entry in self.live if entry.vanished is not None)


def _missed(entry: Known, run: int) -> Known:
    return entry if entry.vanished is not None else replace(entry, vanished=run)


def _is_replaced(entry: Known, present: Iterable[Known]) -> bool:
    days = set(entry.days)
    return any(
        entry.vanished is not None and other.first_seen >= entry.vanished and not days.isdisjoint(other.days)
        for other in present
    )


def read_manifest(path: Path) -> Manifest:
    """The manifest as of the last finished run; an empty one before the first.

    Raises:
        StateError: if the file is not a manifest.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        known = {key: _parse(key, entry) for key, entry in document["known"].items()}
        return Manifest(int(document["run"]), known)
    except FileNotFoundError:
        return Manifest(0, {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError(
            str(path),
            found=f"no readable list of partitions ({error})",
            expected="the JSON that the last run wrote",
            next_step="restore it, or delete it to count every partition anew",
        ) from error


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Put the manifest in place of the last one."""
    document = {
        "run": manifest.run,
        "known": {
            entry.key: {
                "fingerprint": entry.fingerprint,
                "first_seen": entry.first_seen,
                "days": [day.isoformat() for day in entry.days],
                "vanished": entry.vanished,
            }
            for entry in manifest.known.values()
        },
    }
    text = json.dumps(document, sort_keys=True, indent=1)
    write_atomically(path, lambda target: target.write_text(text, encoding="utf-8"))


def _parse(key: str, entry: Mapping[str, object]) -> Known:
    vanished = entry["vanished"]
    days = entry["days"]
    if not isinstance(days, list):
        raise TypeError(f"days of {key} are no list")
    return Known(
        key,
        str(entry["fingerprint"]),
        int(str(entry["first_seen"])),
        tuple(date.fromisoformat(str(day)) for day in days),
        None if vanished is None else int(str(vanished)),
    )
