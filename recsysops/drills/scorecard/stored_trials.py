"""Finished trials as files, one each, so that a drill that was killed goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from recsysops.drills.fault import Truth
from recsysops.drills.scorecard.results import Found, TrialResult
from recsysops.tables.atomic import write_atomically


def write_trial(result: TrialResult, path: Path) -> None:
    """Put it in place, whole."""
    text = json.dumps({**asdict(result), "onset": result.onset.isoformat()}, indent=1, allow_nan=False)
    write_atomically(path, lambda target: target.write_text(text, encoding="utf-8"))


def read_trial(path: Path) -> TrialResult | None:
    """A finished trial; None if there is none, or the file is damaged (then it is run again)."""
    try:
        return _from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _from_dict(values: Mapping[str, Any]) -> TrialResult:
    truth: Any = {name: tuple(one) if isinstance(one, list) else one for name, one in values["truth"].items()}
    return TrialResult(
        **{
            **values,
            "onset": date.fromisoformat(values["onset"]),
            "truth": Truth(**truth),
            "found": Found(**values["found"]),
            "baselines": {name: Found(**found) for name, found in values["baselines"].items()},
        }
    )
