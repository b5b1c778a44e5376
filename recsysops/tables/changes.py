"""Change events: one JSON line each, appended whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from recsysops.errors import ConfigError
from recsysops.tables.atomic import sync
from recsysops.tables.files import unreadable


@dataclass(frozen=True)
class ChangeRecord:
    """A deploy, configuration, schema or experiment event.

    ``rollout`` is the share of traffic it reached, in [0, 1].

    Raises:
        ConfigError: if ``ts`` has no zone, ``kind`` is empty or ``rollout`` is no share.
    """

    ts: datetime
    kind: str
    scope: str = ""
    description: str = ""
    rollout: float | None = None

    def __post_init__(self) -> None:
        if self.ts.tzinfo is None:
            raise ConfigError(
                "change ts", found=f"{self.ts.isoformat()} without a zone", expected="e.g. a Z at its end"
            )
        if not self.kind.strip():
            raise ConfigError("change kind", found="nothing", expected="deploy, config, schema, launch, experiment …")
        if self.rollout is not None and not 0 <= self.rollout <= 1:
            raise ConfigError("change rollout", found=str(self.rollout), expected="a share from 0 to 1")

    def to_dict(self) -> dict[str, str | float | None]:
        """JSON-ready, with the time in UTC."""
        return {
            "ts": self.ts.astimezone(UTC).isoformat(),
            "kind": self.kind,
            "scope": self.scope,
            "description": self.description,
            "rollout": self.rollout,
        }


@dataclass(frozen=True)
class ChangeLog:
    """What was recorded, in order of recording, and one warning for each line that could not be used."""

    changes: tuple[ChangeRecord, ...]
    warnings: tuple[str, ...] = ()


def record_change(path: Path, change: ChangeRecord) -> None:
    """Append a change; many processes may do so at once. A torn last line of a crashed writer is closed first.

    Raises:
        SourceError: if the file cannot be written.
    """
    line = json.dumps(change.to_dict()).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+", buffering=0) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            _write_whole(stream.fileno(), line if _ends_whole(stream.fileno()) else b"\n" + line)
            os.fsync(stream)
        sync(path.parent)
    except OSError as error:
        raise unreadable(path, error) from error


def read_changes(path: Path) -> ChangeLog:
    """All changes recorded so far; none when there is no file yet.

    Raises:
        SourceError: if the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return ChangeLog(())
    except OSError as error:
        raise unreadable(path, error) from error
    changes: list[ChangeRecord] = []
    warnings: list[str] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            try:
                changes.append(_parse(line))
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ConfigError) as error:
                warnings.append(f"{path} line {number} is skipped, it is not a whole change: {error}")
    return ChangeLog(tuple(changes), tuple(warnings))


def _parse(line: bytes) -> ChangeRecord:
    values = json.loads(line)
    rollout = values.get("rollout")
    return ChangeRecord(
        datetime.fromisoformat(values["ts"]),
        str(values["kind"]),
        str(values.get("scope") or ""),
        str(values.get("description") or ""),
        None if rollout is None else float(rollout),
    )


def _ends_whole(handle: int) -> bool:
    size = os.fstat(handle).st_size
    return size == 0 or os.pread(handle, 1, size - 1) == b"\n"


def _write_whole(handle: int, line: bytes) -> None:
    """One write, repeated for what a full disk or a signal left over."""
    while line:
        line = line[os.write(handle, line) :]
