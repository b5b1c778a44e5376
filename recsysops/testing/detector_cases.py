"""Cases of a detector as data: faults planted in a small log, and the findings that must come of them.

One YAML file per detector, shared by tests and docs::

    detector: input.missing_rate
    cases:
      - name: a tenth of a feature is NULL
        log: {n_days: 7}
        plant:
          - set: {table: candidates, column: feature_0, value: null, rate: 0.1}
        expect:
          - {statistic: null_rate, column: feature_0, slice: {}}

Every expectation must be met by a finding with those keys, and every finding must be about something expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from recsysops.errors import ConfigError
from recsysops.testing.example_log import ExampleLog, example_log, findings, plant
from recsysops.testing.example_slates import example_slates
from recsysops.triage.detector import Detector
from recsysops.triage.findings import Finding

_KEYS = {"name", "log", "plant", "expect", "params"}


@dataclass(frozen=True)
class DetectorCase:
    """What is planted and what must be found; ``expect`` is empty for a healthy log."""

    detector: str
    name: str
    plant: tuple[Mapping[str, Any], ...] = ()
    expect: tuple[Mapping[str, Any], ...] = ()
    log: Mapping[str, int] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)

    def faulty_log(self) -> ExampleLog:
        """The log with its faults."""
        return plant(_healthy(tuple(sorted(self.log.items()))), self.plant)


@lru_cache(maxsize=8)
def _healthy(arguments: tuple[tuple[str, int], ...]) -> ExampleLog:
    """The plain log; with ``candidates`` among the arguments the log of a whole recommender."""
    given = dict(arguments)
    return example_slates(**given) if "candidates" in given else example_log(**given)


def load_cases(path: Path) -> tuple[DetectorCase, ...]:
    """The cases of one file.

    Raises:
        ConfigError: if the file is not as described above.
    """
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("cases"), list) or "detector" not in content:
        raise ConfigError(path.name, found=type(content).__name__, expected="a mapping with detector and cases")
    cases = []
    for case in content["cases"]:
        if not isinstance(case, dict) or set(case) - _KEYS or "name" not in case:
            raise ConfigError(path.name, found=repr(case)[:80], expected=f"a mapping with name and {sorted(_KEYS)}")
        cases.append(
            DetectorCase(
                content["detector"],
                case["name"],
                tuple(case.get("plant", ())),
                tuple(case.get("expect", ())),
                case.get("log", {}),
                case.get("params", {}),
            )
        )
    return tuple(cases)


def check_case(detector: type[Detector], case: DetectorCase) -> None:
    """Plant, judge, compare.

    Raises:
        AssertionError: if an expected finding is missing, or one is about nothing expected.
    """
    found = findings(detector(detector.Params(**case.params)), case.faulty_log())
    told = [f"{one.statistic} {one.column or one.subject.id} {one.slice}: {one.headline}" for one in found]
    for wanted in case.expect:
        assert any(_meets(one, wanted) for one in found), f"{case.name}: expected {dict(wanted)}, found {told}"
    about = {str(wanted.get("column", wanted.get("subject", wanted.get("table")))) for wanted in case.expect}
    stray = [one.headline for one in found if not {one.column, one.subject.id, one.table} & about]
    assert not stray, f"{case.name}: found beside what was planted: {stray}"


def _meets(finding: Finding, wanted: Mapping[str, Any]) -> bool:
    said = {**finding.to_dict(), "subject": finding.subject.id}
    return all(said.get(key) == value for key, value in wanted.items())
