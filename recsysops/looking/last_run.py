"""What the last run of ``detect`` could and could not look at, kept beside the state for ``status``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from recsysops.errors import StateError
from recsysops.tables.atomic import write_atomically
from recsysops.triage.findings import Skipped

FILE_NAME = "last-run.json"


@dataclass(frozen=True)
class LastRun:
    """The last judged day of the last run that judged any."""

    day: date
    n_detectors: int
    skipped: tuple[Skipped, ...]
    exit_code: int


def write_last_run(state: Path, run: LastRun) -> None:
    """Put it in place of what was kept before."""
    document = {
        "day": run.day.isoformat(),
        "n_detectors": run.n_detectors,
        "skipped": [one.to_dict() for one in run.skipped],
        "exit_code": run.exit_code,
    }
    text = json.dumps(document, ensure_ascii=False, indent=1)
    write_atomically(state / FILE_NAME, lambda target: target.write_text(text, encoding="utf-8"))


def read_last_run(state: Path) -> LastRun | None:
    """What was kept, or None before the first run.

    Raises:
        StateError: if the file is not one of ours.
    """
    path = state / FILE_NAME
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        skipped: Sequence[dict[str, str]] = document["skipped"]
        return LastRun(
            date.fromisoformat(document["day"]),
            int(document["n_detectors"]),
            tuple(Skipped(**one) for one in skipped),  # type: ignore[arg-type]
            int(document["exit_code"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError(
            str(path),
            found=f"no readable note of the last run ({type(error).__name__})",
            expected="the JSON that `recsysops detect` wrote",
            next_step="delete it; the next `recsysops detect` writes it again",
        ) from error
