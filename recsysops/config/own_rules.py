"""The names of a workspace's own rules, for lists: concerns, checks and incidents that became checks.

Only plain YAML is read, so that listing stays quick; whether a rule is sound is said by whoever runs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recsysops.config.layers import read_layers, read_text
from recsysops.config.yaml_dialect import parse_yaml

SETTINGS_FILE = "recsysops.yaml"
STANDING = "checks/incident-*.yaml"
SECTIONS = (("concerns", "concern", "CON001"), ("checks", "check", "CHK001"))
STANDING_CODE = "CHK002"


@dataclass(frozen=True)
class OwnRule:
    """A rule as a list shows it; ``file`` is relative to the workspace."""

    name: str
    code: str
    severity: str
    summary: str
    file: str
    stated: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """As it stands in the file."""


def is_own(name: str) -> bool:
    """Whether a detector's name is that of a workspace's own rule: ``concern.…`` or ``check.…``."""
    return name.startswith(tuple(f"{prefix}." for _, prefix, _ in SECTIONS))


def nearest_workspace(path: Path | None) -> Path | None:
    """The folder that was named, or the nearest one upward that is a workspace; None if there is none."""
    here = Path.cwd()
    places = [path] if path is not None else [here, *here.parents]
    return next((folder for folder in places if (folder / SETTINGS_FILE).is_file()), None)


def rules_near(path: Path | None, *, env: str | None = None, brand: str | None = None) -> tuple[OwnRule, ...]:
    """The rules of the workspace that was named, or of the nearest one upward; none outside one.

    Raises:
        ConfigError: if a file is no YAML of ours.
    """
    root = nearest_workspace(path)
    return tuple(own_rules(root, env=env, brand=brand)) if root is not None else ()


def own_rules(root: Path, *, env: str | None = None, brand: str | None = None) -> Iterator[OwnRule]:
    """Every rule of a workspace, in the order in which they are judged.

    Raises:
        ConfigError: if a file is no YAML of ours.
    """
    texts: list[tuple[str, Mapping[str, Any]]] = [
        (SETTINGS_FILE, read_layers(root / SETTINGS_FILE, env=env, brand=brand))
    ]
    texts += [(f"concerns/{path.name}", _read(path)) for path in sorted((root / "concerns").glob("*.yaml"))]
    for section, prefix, code in SECTIONS:
        for file, content in texts:
            for name, stated in _mapping(content.get(section)).items():
                summary = _mapping(stated).get("description") or f"{name} is not as expected."
                severity = _mapping(stated).get("severity") or "warning"
                yield OwnRule(f"{prefix}.{name}", code, str(severity), str(summary), file, _mapping(stated))
    for path in standing_files(root):
        stated = _read(path)
        where = f"{stated.get('table')}.{stated.get('column')}" if stated.get("column") else stated.get("table")
        summary = f"Incident {stated.get('incident')} is back: {stated.get('statistic')} of {where}."
        severity = stated.get("severity") or "warning"
        yield OwnRule(f"check.{path.stem}", STANDING_CODE, str(severity), summary, f"checks/{path.name}", stated)


def standing_files(root: Path) -> list[Path]:
    """The files of standing checks, by the number of their incident."""
    return sorted(root.glob(STANDING), key=lambda path: (len(path.name), path.name))


def _read(path: Path) -> Mapping[str, Any]:
    return _mapping(parse_yaml(read_text(path), str(path)))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
