"""Edge sets and category sets as they were frozen from the first reference, by table and column."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recsysops.errors import StateError
from recsysops.profiles.categories import CategorySet
from recsysops.profiles.edges import EdgeSet
from recsysops.tables.atomic import write_atomically

FrozenSet = EdgeSet | CategorySet
FORMAT_VERSION = 1


def read_frozen_sets(path: Path) -> dict[str, FrozenSet]:
    """The sets of one table by column (pairs of columns joined by the unit separator); none before the first run.

    Raises:
        StateError: if the file is damaged or was written by a newer version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] > FORMAT_VERSION:
            raise StateError(str(path), found=f"format {document['format']}", expected=f"at most {FORMAT_VERSION}")
        return sets_from_dict(document["sets"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StateError(
            str(path),
            found=f"no readable edge sets ({error})",
            expected="the JSON that the first run wrote",
            next_step="restore it, or delete it together with the profiles to count everything anew",
        ) from error


def write_frozen_sets(sets: Mapping[str, FrozenSet], path: Path) -> None:
    """Put the sets of one table in place."""
    document = {"format": FORMAT_VERSION, "sets": sets_to_dict(sets)}
    text = json.dumps(document, sort_keys=True, indent=1)
    write_atomically(path, lambda target: target.write_text(text, encoding="utf-8"))


def sets_to_dict(sets: Mapping[str, FrozenSet]) -> dict[str, Any]:
    """JSON-ready."""
    return {
        column: {"kind": "edges" if isinstance(one, EdgeSet) else "categories", **one.to_dict()}
        for column, one in sets.items()
    }


def sets_from_dict(stored: Mapping[str, Any]) -> dict[str, FrozenSet]:
    """The inverse of ``sets_to_dict``; raises KeyError, ValueError or TypeError if something else was written."""
    return {column: _parse(one) for column, one in stored.items()}


def _parse(stored: Mapping[str, Any]) -> FrozenSet:
    return EdgeSet.from_dict(stored) if stored["kind"] == "edges" else CategorySet.from_dict(stored)
