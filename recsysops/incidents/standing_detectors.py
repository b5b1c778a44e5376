"""Standing checks at run time: detectors ``check.incident-N`` that see to it that an incident does not come back unseen.

A check asks the detector that found the incident. What that says of the very same statistic is held against the check's
own limit instead of the alarm budget's: it has no p-value, so that neither limits set by history nor a quiet day before let
it pass. Below the detector's own floor of size and noise there is nothing to hold against a limit.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from recsysops.config.own_rules import STANDING_CODE, standing_files
from recsysops.errors import ConfigError, PluginError
from recsysops.incidents.standing_check import StandingCheck, read_check
from recsysops.profiles.history import History
from recsysops.profiles.measures import Measure
from recsysops.profiles.slices import EVERYTHING, Slice
from recsysops.tables.schema import Schema
from recsysops.triage.detector import Detector, DetectorMeta, Parameters, Verdict
from recsysops.triage.findings import Finding, Looked, Skipped, Subject
from recsysops.triage.loading import load_detectors


class StandingParams(Parameters):
    """What the file states; part of the digest of a judged day, like any detector's parameters."""

    stated: dict[str, Any]


class Asked:
    """A detector that several checks ask about the same history: it judges once."""

    def __init__(self, detector: Detector) -> None:
        self.detector = detector
        self._of: weakref.ref[History] | None = None
        self._said: tuple[Verdict, ...] = ()

    def of(self, history: History) -> tuple[Verdict, ...]:
        """What it says."""
        if self._of is None or self._of() is not history:
            self._said = tuple(self.detector.judge(history))
            self._of = weakref.ref(history)
        return self._said


class StandingDetector:
    """An incident that was closed is back."""

    meta: ClassVar[DetectorMeta]
    Params: ClassVar[type[Parameters]] = StandingParams

    def __init__(self, check: StandingCheck, asked: Asked | Skipped) -> None:
        self.params = StandingParams(stated=check.to_dict())
        self._check = check
        self._asked = asked

    def measures(self, schema: Schema) -> Iterator[Measure]:
        if isinstance(self._asked, Asked):
            yield from self._asked.detector.measures(schema)

    def judge(self, history: History) -> Iterator[Verdict]:
        check = self._check
        if isinstance(self._asked, Skipped):
            yield replace(self._asked, detector=self.meta.name)
            return
        if history.context.mode == "cohorts":
            yield Skipped(self.meta.name, "not_applicable", "judges days, not cohorts", check.table)
            return
        slice_ = slice_of(check)
        for said in self._asked.of(history):
            if isinstance(said, Finding) and is_about(check, said) and check.fires_on(said.value, (check.finding,)):
                yield self._finding(said)
            elif isinstance(said, Skipped) and said.table in ("", check.table) and said.column in ("", check.column):
                yield replace(said, detector=self.meta.name)
        yield Looked(self.meta.name, 1, f"{check.statistic} as in incident {check.incident}", int(slice_ == EVERYTHING))

    def _finding(self, said: Finding) -> Finding:
        check = self._check
        (kind, bound), *_ = check.expectation.items()
        limit = "never again" if kind == "finding" else f"{kind.replace('_', ' ')} {bound:,.4g}"
        return replace(
            said,
            code=self.meta.code, detector=self.meta.name, severity=self.meta.severity, p_value=None,
            threshold=said.threshold if kind == "finding" else bound,
            headline=f"as in incident {check.incident}: {said.headline} (its check expects {limit})",
        )  # fmt: skip


def is_about(check: StandingCheck, finding: Finding) -> bool:
    """Whether a finding is of the same statistic of the same thing in the same slice."""
    subject = Subject(check.subject["kind"], check.subject["id"])
    stated = (check.table, check.column, subject, slice_of(check), check.statistic)
    return stated == (finding.table, finding.column, finding.subject, finding.slice, finding.statistic)


def slice_of(check: StandingCheck) -> Slice:
    """The slice that the check is about."""
    return next((Slice(*pair) for pair in check.slice.items()), EVERYTHING)


def standing_detectors(
    root: Path, parameters: Mapping[str, Mapping[str, Any]], declared: Sequence[Detector] = ()
) -> list[Detector]:
    """A detector for each file ``checks/incident-N.yaml`` of the workspace, by number.

    Args:
        root: the workspace's folder.
        parameters: by detector name, from its settings.
        declared: detectors made of its concerns and checks; an incident may have been one of theirs.

    Raises:
        ConfigError: if a file is not as ``incident retro`` writes it, or its detector is not there any more.
    """
    asked: dict[str, Asked | Skipped] = {one.meta.name: Asked(one) for one in declared}
    made: list[Detector] = []
    for path in standing_files(root):
        check, _ = read_check(path)
        if check.detector not in asked:
            asked[check.detector] = _asked(check.detector, parameters, path)
        inner = asked[check.detector]
        stage = inner.detector.meta.stage if isinstance(inner, Asked) else "world"
        meta = DetectorMeta(STANDING_CODE, f"check.{check.name}", (check.table,), check.severity, stage)
        doc = f"Incident {check.incident} is back: {check.statistic} of {check.column or check.table}."
        cls = type(f"Standing_{check.incident}", (StandingDetector,), {"meta": meta, "__doc__": doc})
        made.append(cls(check, inner))
        asked[meta.name] = Asked(made[-1])
    return made


def _asked(name: str, parameters: Mapping[str, Mapping[str, Any]], path: Path) -> Asked | Skipped:
    try:
        loaded = load_detectors({key: value for key, value in parameters.items() if key == name}, only=[name])
    except PluginError as error:
        raise ConfigError(
            f"{path}: detector",
            found=repr(name),
            expected="an installed detector",
            next_step="install what it came with, or remove the check",
        ) from error
    return Asked(loaded.detectors[0]) if loaded.detectors else loaded.skipped[0]
