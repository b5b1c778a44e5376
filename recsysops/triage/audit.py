"""One audit: every detector judges the same history, and a broken one silences only itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from recsysops.profiles.history import History
from recsysops.triage.detector import Detector, Verdict
from recsysops.triage.findings import Finding, Looked, Skipped


@dataclass(frozen=True)
class Audit:
    """What the detectors said of one history, in the order of the detectors."""

    findings: tuple[Finding, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    looked: tuple[Looked, ...] = ()

    @property
    def n_series(self) -> int:
        """How many series were compared: the number of chances to be wrong by accident."""
        return sum(looked.n_series for looked in self.looked)

    @property
    def n_whole(self) -> int:
        """How many of them are over all rows."""
        return sum(looked.n_whole for looked in self.looked)


def audit(history: History, detectors: Sequence[Detector]) -> Audit:
    """Run every detector over the history.

    Pure. A detector that raises becomes a ``Skipped`` of kind ``failed`` and keeps what it had said before; one whose
    tables are all absent becomes ``not_applicable``. Of two findings with one id the one of larger effect stays.
    """
    verdicts: list[Verdict] = []
    for detector in detectors:
        verdicts += _judged(history, detector)
    return Audit(
        _distinct(verdict for verdict in verdicts if isinstance(verdict, Finding)),
        tuple(verdict for verdict in verdicts if isinstance(verdict, Skipped)),
        tuple(verdict for verdict in verdicts if isinstance(verdict, Looked)),
    )


def _judged(history: History, detector: Detector) -> list[Verdict]:
    meta = detector.meta
    if not any(history.context.schema.table(table) for table in meta.watches):
        reason = f"the workspace has no table {' or '.join(meta.watches)}"
        return [Skipped(meta.name, "not_applicable", reason, table=meta.watches[0] if meta.watches else "")]
    verdicts: list[Verdict] = []
    try:
        verdicts.extend(detector.judge(history))
    except Exception as error:  # a detector may fail in any way; the others are still worth hearing
        reason = f"{type(error).__name__}: {error}"
        verdicts.append(Skipped(meta.name, "failed", reason))
    return verdicts


def _distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    kept: dict[str, Finding] = {}
    for finding in findings:
        known = kept.get(finding.id)
        if known is None or finding.effect > known.effect:
            kept[finding.id] = finding
    return tuple(kept.values())
