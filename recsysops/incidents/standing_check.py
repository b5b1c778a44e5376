"""An incident as a standing check: what has to hold, as data, and a fixture on which it must fire. Nothing is executed.

``checks/incident-41.yaml`` says what is expected of which statistic; ``checks/incident-41.json`` holds the finding and
the values of healthy days, so that a test can replay the check without any log.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from recsysops.config.layers import read_text
from recsysops.config.yaml_dialect import dump_yaml, parse_yaml
from recsysops.errors import ConfigError, StateError
from recsysops.incidents.incident import Incident
from recsysops.tables.atomic import write_atomically
from recsysops.triage.findings import SEVERITIES, Finding, Severity

FOLDER = "checks"
SCHEMA_VERSION = 1
_BOUNDS = ("at_most", "at_least")


@dataclass(frozen=True)
class StandingCheck:
    """One statistic of one thing, and the bound it has to keep.

    The bound lies half way between the worst healthy value and the faulty one; where they cannot be told apart by level
    (a shape, a healthy day that was worse) there is none, and the detector's own silence is what is expected.
    """

    name: str
    incident: int
    owner: str
    severity: Severity
    detector: str
    finding: str
    table: str
    column: str
    subject: Mapping[str, str]
    slice: Mapping[str, str]
    statistic: str
    expectation: Mapping[str, Any]
    """``{at_most: 0.05}``, ``{at_least: 0.9}`` or ``{finding: absent}``."""

    def fires_on(self, value: float, finding_ids: tuple[str, ...] = ()) -> bool:
        """Whether a day with this value of the statistic, and these findings, breaks the expectation."""
        if "at_most" in self.expectation:
            return not value <= self.expectation["at_most"]
        if "at_least" in self.expectation:
            return not value >= self.expectation["at_least"]
        return self.finding in finding_ids

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {
            "version": SCHEMA_VERSION,
            "name": self.name,
            "incident": self.incident,
            "owner": self.owner,
            "severity": self.severity,
            "detector": self.detector,
            "finding": self.finding,
            "table": self.table,
            "column": self.column,
            "subject": dict(self.subject),
            "slice": dict(self.slice),
            "statistic": self.statistic,
            "expectation": dict(self.expectation),
        }


@dataclass(frozen=True)
class Fixture:
    """What the check is replayed on: the finding as it was, and the statistic on healthy days before it."""

    finding: Mapping[str, Any]
    healthy: tuple[float, ...]
    faulty: float

    def to_dict(self) -> dict[str, Any]:
        """As it stands in the file."""
        return {
            "schema_version": SCHEMA_VERSION,
            "finding": dict(self.finding),
            "healthy": list(self.healthy),
            "faulty": _plain(self.faulty),
        }


def check_of(incident: Incident, finding: Finding, owner: str) -> tuple[StandingCheck, Fixture]:
    """The check and its fixture, from the incident's headline finding."""
    healthy = tuple(value for value in finding.series[:-1] if math.isfinite(value))
    if not healthy and finding.reference_value is not None and math.isfinite(finding.reference_value):
        healthy = (finding.reference_value,)
    check = StandingCheck(
        f"incident-{incident.id}",
        incident.id,
        owner,
        finding.severity,
        finding.detector,
        finding.id,
        finding.table,
        finding.column,
        {"kind": finding.subject.kind, "id": finding.subject.id},
        finding.slice.to_dict(),
        finding.statistic,
        expectation_of(healthy, finding.value),
    )
    return check, Fixture(_plain(finding.to_dict()), healthy, finding.value)


def expectation_of(healthy: tuple[float, ...], faulty: float) -> dict[str, Any]:
    """The bound between healthy values and the faulty one.

    Example:
        >>> expectation_of((0.01, 0.02), 0.12), expectation_of((0.9, 0.95), 0.5), expectation_of((0.1, 0.3), 0.2)
        ({'at_most': 0.07}, {'at_least': 0.7}, {'finding': 'absent'})
    """
    if healthy and math.isfinite(faulty):
        if max(healthy) < faulty:
            return {"at_most": round((max(healthy) + faulty) / 2, 12)}
        if min(healthy) > faulty:
            return {"at_least": round((min(healthy) + faulty) / 2, 12)}
    return {"finding": "absent"}


def replay(check: StandingCheck, fixture: Fixture) -> tuple[int, bool]:
    """On how many healthy values the check would have fired, and whether it fires on the faulty one."""
    false = sum(check.fires_on(value) for value in fixture.healthy)
    return false, check.fires_on(fixture.faulty, (str(fixture.finding["id"]),))


def write_check(root: Path, check: StandingCheck, fixture: Fixture) -> tuple[Path, Path]:
    """Both files in the workspace's folder ``checks``, whole or not at all; a later retro replaces them.

    Raises:
        StateError: if the check does not fire on its own fixture, and on it alone; or the folder cannot be written.
    """
    path, beside = root / FOLDER / f"{check.name}.yaml", root / FOLDER / f"{check.name}.json"
    n_false, fires = replay(check, fixture)
    if n_false or not fires:
        raise StateError(
            str(path), found="a check that its own fixture does not bear out", expected="one that fires on it"
        )
    content = json.dumps(fixture.to_dict(), indent=2, allow_nan=False) + "\n"
    try:
        write_atomically(beside, lambda temporary: temporary.write_text(content, encoding="utf-8"))
        write_atomically(path, lambda temporary: temporary.write_text(dump_yaml(check.to_dict()), encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise StateError(str(path), found=reason, next_step="check the folder's permissions and free space") from None
    return path, beside


def read_check(path: Path) -> tuple[StandingCheck, Fixture]:
    """A check and the fixture beside it.

    Raises:
        ConfigError: if either file is not one of ours.
    """
    try:
        stated = parse_yaml(read_text(path), str(path))
        fixture = json.loads(read_text(path.with_suffix(".json")))
        if stated.pop("version") != SCHEMA_VERSION or fixture.pop("schema_version") != SCHEMA_VERSION:
            raise ValueError("another version")
        _check_types(stated, path.stem)
        check = StandingCheck(**{**stated, "expectation": MappingProxyType(_expectation(stated["expectation"]))})
        return check, Fixture(fixture["finding"], tuple(map(float, fixture["healthy"])), _number(fixture["faulty"]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        found = " ".join(str(error).split())[:200]
        raise ConfigError(str(path), found=found, expected="a check as `incident retro` writes it") from None


def _check_types(stated: Mapping[str, Any], stem: str) -> None:
    """Everything that is read later, but for the expectation."""
    texts = ("name", "owner", "severity", "detector", "finding", "table", "column", "statistic")
    for key in texts:
        if not isinstance(stated.get(key), str):
            raise ValueError(f"{key}: {stated.get(key)!r}, which is no text")
    if type(stated["incident"]) is not int or stated["name"] != stem:
        raise ValueError(f"name {stated['name']!r} of incident {stated['incident']!r} in the file of {stem}")
    if stated["severity"] not in SEVERITIES:
        raise ValueError(f"severity {stated['severity']!r}")
    for key in ("subject", "slice"):
        if not isinstance(stated[key], dict) or not all(isinstance(value, str) for value in stated[key].values()):
            raise ValueError(f"{key} {stated[key]!r}")
    if set(stated["subject"]) != {"kind", "id"} or len(stated["slice"]) > 1:
        raise ValueError(f"subject {stated['subject']!r} in slice {stated['slice']!r}")


def _expectation(stated: Any) -> dict[str, Any]:
    (kind, bound), *more = dict(stated).items()
    if more or ((kind, bound) != ("finding", "absent") and kind not in _BOUNDS):
        raise ValueError(f"expectation {stated!r}")
    return {kind: bound if kind == "finding" else float(bound)}


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _plain(value: Any) -> Any:
    """JSON has no NaN."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
