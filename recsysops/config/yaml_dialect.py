"""The YAML of workspace files: plain data only, read as YAML 1.2 reads scalars.

``no`` is a string (a market, say), ``12:30`` is a string, dates stay text: only true/false, null and numbers are typed.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from recsysops.config.yaml_limits import refuse_hostile_yaml
from recsysops.errors import ConfigError

_SCALARS: tuple[tuple[str, str, str], ...] = (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", "~nN\0"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+.0123456789",
    ),
    ("merge", r"^<<$", "<"),
)
_MAX_DIGITS = 18
_BREAK = re.compile(r"[\n\r\x85\u2028\u2029]")


class WorkspaceLoader(yaml.SafeLoader):
    """A safe loader that refuses duplicate keys and keys that are not strings."""

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Build a mapping after looking at its keys; ``<<`` merges of anchors come after that, so they may overlap."""
        seen: set[str] = set()
        for key, _ in node.value:
            self._check_key(key, seen)
        return super().construct_mapping(node, deep=deep)

    def construct_yaml_int(self, node: ScalarNode) -> int:
        """A decimal integer; unlike YAML 1.1, a leading zero does not mean octal."""
        text = str(self.construct_scalar(node))
        if len(text) > _MAX_DIGITS:
            raise yaml.constructor.ConstructorError(None, None, "a number of too many digits", node.start_mark)
        return int(text)

    def construct_yaml_float(self, node: ScalarNode) -> float:
        """A float, with YAML's spelling of infinity and NaN."""
        return float(str(self.construct_scalar(node)).lower().replace(".inf", "inf").replace(".nan", "nan"))

    def _check_key(self, key: Node, seen: set[str]) -> None:
        if key.tag == "tag:yaml.org,2002:merge":
            return
        if not isinstance(key, ScalarNode) or key.tag != "tag:yaml.org,2002:str":
            raise yaml.constructor.ConstructorError(
                None, None, "a key that is not a string (put it in quotes)", key.start_mark
            )
        if key.value in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {shown(key.value)} a second time in one mapping", key.start_mark
            )
        seen.add(key.value)


class WorkspaceDumper(yaml.SafeDumper):
    """Writes what :class:`WorkspaceLoader` reads back unchanged."""

    def ignore_aliases(self, data: Any) -> bool:
        """Equal values are written out each time: people read this file."""
        return True


for _class in (WorkspaceLoader, WorkspaceDumper):
    _class.yaml_implicit_resolvers = {}  # its own, so that YAML 1.1's are not inherited
for _name, _pattern, _first in _SCALARS:
    for _class in (WorkspaceLoader, WorkspaceDumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_name}",
            re.compile(_pattern, re.ASCII),
            [character.replace("\0", "") for character in _first],
        )
WorkspaceLoader.add_constructor("tag:yaml.org,2002:int", WorkspaceLoader.construct_yaml_int)
WorkspaceLoader.add_constructor("tag:yaml.org,2002:float", WorkspaceLoader.construct_yaml_float)


def shown(value: object, limit: int = 60) -> str:
    """A value as it may appear in a message: control characters escaped, cut to ``limit`` characters."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def parse_yaml(text: str, where: str) -> dict[str, Any]:
    """The one mapping of a YAML document.

    Raises:
        ConfigError: naming ``where:line:column``, if the text is not YAML, is not one mapping, has tags, duplicate or
            non-string keys, nests or repeats beyond the limits.
    """
    try:
        refuse_hostile_yaml(text, where)
        document = yaml.load(text, Loader=WorkspaceLoader)  # noqa: S506  (a SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        raise ConfigError(
            f"{where}:{line}:{column}", found="a character that YAML does not allow", expected="printable text"
        ) from error
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_place(where, error.problem_mark), found=_problem(error), expected="valid YAML") from error
    if not isinstance(document, dict):
        kind = "nothing" if document is None else f"a {type(document).__name__}"
        raise ConfigError(
            f"{where}:1:1",
            found=kind,
            expected="a mapping of settings",
            next_step="`recsysops init DATA` writes a file to start from",
        )
    return document


def dump_yaml(data: object) -> str:
    """YAML that :func:`parse_yaml` reads back as an equal value."""
    return str(yaml.dump(data, Dumper=WorkspaceDumper, sort_keys=False, allow_unicode=True, width=10**6, indent=2))


def quote_yaml(value: str | float | bool | None) -> str:
    """One scalar on one line, as it may stand before a colon or behind a dash; quoted only where YAML would misread it."""
    style = '"' if isinstance(value, str) and _BREAK.search(value) else None
    text = yaml.dump([value], Dumper=WorkspaceDumper, allow_unicode=True, width=10**9, default_style=style)
    return str(text).removeprefix("- ").rstrip("\n")


def _place(where: str, mark: yaml.Mark | None) -> str:
    return f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where


def _problem(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return ", ".join(parts) or "broken YAML"
