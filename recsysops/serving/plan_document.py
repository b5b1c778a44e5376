"""The sampling plan as a JSON document: what an operator boosts and a logger reads.

Strict both ways: an unknown word, a wrong type or a number beyond its range is refused with its place, never ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, NoReturn

from recsysops.serving.plan import Floor, Rule, SamplingPlan

VERSION = 1
MOST_BYTES = 4 << 20


def plan_text(plan: SamplingPlan) -> str:
    """The plan as JSON text; ``read_plan`` gives an equal plan back.

    Example:
        >>> read_plan(plan_text(SamplingPlan((Rule("base", 0.01),)))) == SamplingPlan((Rule("base", 0.01),))
        True
    """
    document = {"version": VERSION, **_plain(plan)}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read_plan(text: str | bytes) -> SamplingPlan:
    """The plan of a document.

    Raises:
        ValueError: what was found, where, and what was expected.
    """
    if len(text) > MOST_BYTES:
        raise ValueError(f"sampling plan: found {len(text)} bytes, expected at most {MOST_BYTES}")
    try:
        document = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_repeats)
    except RecursionError:
        raise ValueError("sampling plan: found too deep a document, expected rules and floors") from None
    except ValueError as error:  # also text that is not UTF-8
        raise ValueError(f"sampling plan: found no JSON document ({error}), expected one") from None
    given = _object("sampling plan", document, [*_names(SamplingPlan), "version"])
    version = given.pop("version", None)
    if version != VERSION or isinstance(version, bool):
        raise ValueError(f"sampling plan.version: found {version!r}, expected {VERSION}; write it with this release")
    for name, kind in (("rules", Rule), ("floors", Floor)):
        given[name] = tuple(_part(f"sampling plan.{name}[{i}]", one, kind) for i, one in enumerate(_list(name, given)))
    given["always"] = tuple(_list("always", given)) if "always" in given else SamplingPlan().always
    if not all(isinstance(mark, str) for mark in given["always"]):
        raise ValueError(f"sampling plan.always: found {given['always']!r}, expected a list of texts")
    return SamplingPlan(**given)


def _part(where: str, value: object, kind: type[Rule] | type[Floor]) -> Rule | Floor:
    given = _object(where, value, _names(kind))
    if "expires_at" in given:
        given["expires_at"] = _time(f"{where}.expires_at", given["expires_at"])
    if "when" in given:
        given["when"] = _object(f"{where}.when", given["when"], None)
    if not isinstance(given.get("why", ""), str):
        raise ValueError(f"{where}.why: found {given['why']!r}, expected a text")
    try:
        return kind(**given)
    except TypeError:
        wanted = "a name and a rate" if kind is Rule else "a name and n_requests"
        raise ValueError(f"{where}: found {', '.join(given) or 'nothing'}, expected at least {wanted}") from None


def _plain(value: SamplingPlan | Rule | Floor) -> dict[str, Any]:
    """Fields that differ from their default, as JSON has them."""
    found: dict[str, Any] = {}
    for one in fields(value):
        held = getattr(value, one.name)
        if held == one.default or (not held and one.name == "when"):
            continue
        if isinstance(held, datetime):
            found[one.name] = held.astimezone(UTC).isoformat()
        elif isinstance(held, tuple):
            found[one.name] = [_plain(part) if isinstance(part, Rule | Floor) else part for part in held]
        else:
            found[one.name] = {name: list(texts) for name, texts in held.items()} if isinstance(held, Mapping) else held
    return found


def _names(kind: type) -> list[str]:
    return [one.name for one in fields(kind)]


def _object(where: str, value: object, names: Iterable[str] | None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{where}: found {_short(value)}, expected an object")
    unknown = sorted(set(value) - set(names)) if names is not None else []
    if unknown:
        raise ValueError(f"{where}: found {unknown[0]!r}, expected {', '.join(sorted(names or ()))}")
    return dict(value)


def _list(name: str, given: Mapping[str, Any]) -> list[Any]:
    value = given.get(name, [])
    if not isinstance(value, list):
        raise ValueError(f"sampling plan.{name}: found {_short(value)}, expected a list")
    return value


def _time(where: str, value: object) -> datetime:
    try:
        return datetime.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"{where}: found {_short(value)}, expected a time, as 2026-11-22T08:00:00Z") from None


def _short(value: object) -> str:
    return repr(value)[:80]


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"the number {text}")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key that is given twice")
    return found
