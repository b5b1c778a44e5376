"""Whether every plugin loads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from recsysops import registry
from recsysops.errors import PluginError
from recsysops.inspection.report import Problem
from recsysops.registry import Plugin, Shelf


def plugin_problems(parameters: Mapping[str, Mapping[str, Any]], skip: Iterable[str]) -> list[Problem]:
    """Plugins that cannot be loaded, and detectors named in the settings that do not exist or refuse their parameters.

    Args:
        parameters: ``detectors`` of the settings.
        skip: ``skip`` of the settings.
    """
    problems: list[Problem] = []
    shelves: dict[str, dict[str, Plugin]] = {}
    for shelf in get_args(Shelf):
        try:
            shelves[shelf] = {plugin.name: plugin for plugin in registry.plugins(shelf)}
        except PluginError as error:
            problems.append(Problem("error", error.where, error.found, error.expected, error.next_step))
    for known in shelves.values():
        problems += [problem for plugin in known.values() if (problem := _load_problem(plugin))]
    detectors = shelves.get("detectors", {})
    problems += [_unknown(f"detectors.{name}", name, detectors) for name in parameters if name not in detectors]
    problems += [_unknown("skip", name, detectors) for name in skip if name not in detectors]
    for name, given in parameters.items():
        if name in detectors:
            problems += _parameter_problems(detectors[name], given)
    return problems


def _load_problem(plugin: Plugin) -> Problem | None:
    try:
        plugin.load()
    except PluginError as error:
        return Problem("warning", error.where, error.found, error.expected, error.next_step)
    return None


def _unknown(where: str, name: str, known: Mapping[str, Plugin]) -> Problem:
    near = get_close_matches(name, list(known), n=1)
    advice = f"did you mean {near[0]}?" if near else "`recsysops detectors list` shows them"
    return Problem("error", where, repr(name), "the name of an installed detector", advice)


def _parameter_problems(plugin: Plugin, given: Mapping[str, Any]) -> list[Problem]:
    from pydantic import ValidationError

    try:
        plugin.load().Params.model_validate(dict(given))
    except PluginError:
        return []  # said already
    except ValidationError as error:
        return [
            Problem(
                "error",
                f"detectors.{plugin.name}.{'.'.join(map(str, each['loc']))}",
                repr(each["input"])[:60],
                each["msg"].removeprefix("Input should be "),
                f"`recsysops detectors show {plugin.name}`",
            )
            for each in error.errors(include_url=False)
        ]
    return []
