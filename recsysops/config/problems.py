"""What pydantic found wrong, said in the words of the file: one line per problem."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from recsysops.config.settings import WorkspaceSettings
from recsysops.config.variables import is_secret_place
from recsysops.config.yaml_dialect import shown
from recsysops.errors import ConfigError

Location = tuple[int | str, ...]
_MAX_LINES = 20


class Problem(NamedTuple):
    """One line of a ConfigError."""

    key: str
    found: str
    expected: str = ""
    advice: str = ""


def config_error(problems: Sequence[Problem], where: str) -> ConfigError:
    """One ConfigError for all problems of a workspace's settings: a line for one, a heading and a line each for more."""
    if len(problems) == 1:
        key, found, expected, advice = problems[0]
        return ConfigError(f"{where}: {key}", found=found, expected=expected, next_step=advice)
    lines = [
        str(ConfigError(f"  ({number}) {key}", found=found, expected=expected, next_step=advice))
        for number, (key, found, expected, advice) in enumerate(problems[:_MAX_LINES], 1)
    ]
    if len(problems) > _MAX_LINES:
        lines.append(f"  … and {len(problems) - _MAX_LINES} more")
    return ConfigError(where, found="\n".join([f"{len(problems)} problems:", *lines]))


def validation_problems(
    error: ValidationError, data: Mapping[str, Any], model: type[BaseModel] = WorkspaceSettings
) -> list[Problem]:
    """Each problem of a failed validation: the dotted key, what was found and expected, the nearest known key."""
    grouped: dict[Location, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        grouped.setdefault(_location(detail, data), []).append(detail)
    return [_describe(location, details, model) for location, details in grouped.items()]


def unknown_key(location: Location, known: Sequence[str]) -> Problem:
    """The problem of a key that nothing reads, with the nearest one that would be."""
    near = get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
    return Problem(
        dotted(location), "an unknown key", f"one of {', '.join(known)}", f"did you mean {near[0]}?" if near else ""
    )


def dotted(location: Location) -> str:
    """The keys to a place in the file, as people write them; unusual names are quoted and escaped."""
    return ".".join(_readable(part) for part in location) or "settings"


def _location(detail: ErrorDetails, data: Any) -> Location:
    """The keys of the file that lead to the problem: without the parts by which pydantic names members of a union."""
    if detail["type"] in ("missing", "extra_forbidden"):
        return detail["loc"]
    steps: list[int | str] = []
    for part in detail["loc"]:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            break
        steps.append(part)
    return tuple(steps)


def _describe(location: Location, details: Sequence[ErrorDetails], model: type[BaseModel]) -> Problem:
    kind = details[0]["type"]
    if kind == "missing":
        return Problem(dotted(location), "nothing", "a value", f"add {_readable(location[-1])}:")
    if kind == "extra_forbidden":
        return unknown_key(location, _known_keys(location[:-1], model))
    expected = " or ".join(dict.fromkeys(_expected(detail) for detail in details))
    found = "a secret of another type" if is_secret_place(location) else shown(details[0]["input"])
    return Problem(dotted(location), found, expected)


def _readable(part: int | str) -> str:
    text = str(part)
    return text if text.isidentifier() or text.isdigit() else shown(text)


def _expected(detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return message.replace("valid dictionary", "mapping")


def _known_keys(location: Location, model: type[BaseModel]) -> list[str]:
    """The keys that may stand in the section at that location."""
    section: Any = model
    for part in location:
        section = _inner(section, part)
    return sorted(section.model_fields) if _is_model(section) else []


def _inner(section: Any, part: int | str) -> Any:
    """The type of what stands under a key: a model's field, or the values of a mapping or list."""
    if _is_model(section):
        field = section.model_fields.get(str(part))
        section = field.annotation if field else None
        if get_origin(section) in (Union, types.UnionType):
            section = next((option for option in get_args(section) if option is not type(None)), None)
        return section
    arguments = get_args(section)
    return arguments[-1] if arguments else None


def _is_model(section: Any) -> bool:
    return isinstance(section, type) and issubclass(section, BaseModel)
