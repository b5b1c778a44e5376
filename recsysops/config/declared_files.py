"""``concerns/*.yaml`` beside ``recsysops.yaml``: each file checked by itself, so that an error names its line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from yaml.nodes import MappingNode, Node, SequenceNode

from recsysops.config.declared import DeclaredFile
from recsysops.config.layers import read_text
from recsysops.config.problems import Problem, config_error, validation_problems
from recsysops.config.yaml_dialect import WorkspaceLoader, parse_yaml
from recsysops.errors import ConfigError

FOLDER = "concerns"
SECTIONS = ("concerns", "checks")


def with_declared_files(data: dict[str, Any], root: Path) -> dict[str, Any]:
    """Settings with what ``concerns/*.yaml`` declare, in the order of file names.

    Raises:
        ConfigError: with file, line, found and expected, if a file is not as it should be or a name is declared twice.
    """
    merged = dict(data)
    for path in sorted((root / FOLDER).glob("*.yaml")):
        text = read_text(path)
        content = parse_yaml(text, str(path))
        try:
            declared = DeclaredFile.model_validate(content)
        except ValidationError as error:
            problems = validation_problems(error, content, DeclaredFile)
            raise config_error([with_line(one, text) for one in problems], str(path)) from None
        for section, name in declared.names():
            known = dict(merged.get(section) or {})
            if name in known:
                line = line_of(text, (section, name))
                raise ConfigError(
                    f"{path}:{line}: {section}.{name}", found="a name declared before", expected="one declaration of it"
                )
            merged[section] = {**known, name: content[section][name]}
    return merged


def place_of(root: Path, keys: Sequence[str]) -> str:
    """File, line and key of a declaration: in ``concerns/*.yaml``, else in the workspace file."""
    key = ".".join(keys)
    for path in (*sorted((root / FOLDER).glob("*.yaml")), root / "recsysops.yaml"):
        text = read_text(path)
        if _has(text, keys[:2]):
            return f"{path}:{line_of(text, keys)}: {key}"
    return key


def _has(text: str, keys: Sequence[str]) -> bool:
    node: Node | None = yaml.compose(text, Loader=WorkspaceLoader)
    for name in keys:
        found = _child(node, name)
        if found is None:
            return False
        node = found[1]
    return True


def with_line(problem: Problem, text: str) -> Problem:
    """The problem with the line of its key, or of the nearest key above it that is there."""
    line = line_of(text, [key.strip("'\"") for key in problem.key.split(".")])
    return problem._replace(key=f"line {line}: {problem.key}") if line else problem


def line_of(text: str, keys: Sequence[str | int]) -> int | None:
    """The line on which a key stands in YAML text that has been read before; of the nearest parent if it is absent."""
    node: Node | None = yaml.compose(text, Loader=WorkspaceLoader)
    line = None
    for key in keys:
        found = _child(node, str(key))
        if found is None:
            break
        line, node = found
    return line


def _child(node: Node | None, key: str) -> tuple[int, Node] | None:
    if isinstance(node, MappingNode):
        return next(((one.start_mark.line + 1, value) for one, value in node.value if one.value == key), None)
    if isinstance(node, SequenceNode) and key.isdigit() and int(key) < len(node.value):
        value = node.value[int(key)]
        return value.start_mark.line + 1, value
    return None
