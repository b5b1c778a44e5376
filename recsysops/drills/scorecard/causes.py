"""Whether the diagnosis of the first incidents names what was planted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recsysops.cases.verdict import Hypothesis, Verdict
from recsysops.drills.fault import FaultMeta, Truth
from recsysops.drills.scorecard.matching import NO_ALIASES, is_cause

N_INCIDENTS = 3
"""So many of the fresh incidents are diagnosed: what one does on a morning."""


@dataclass(frozen=True)
class Named:
    """What the verdicts say, beside what is true."""

    is_top1: bool = False
    """The first incident's first hypothesis is right in stage and entity."""
    is_top3: bool = False
    """One of its first three is, or the first of another incident."""
    is_class: bool = False
    """The first incident's cause (input, training, model …) is right."""
    said: str = ""


def named(verdicts: Sequence[Verdict], meta: FaultMeta, truth: Truth, aliases: Mapping[str, str] = NO_ALIASES) -> Named:
    """Compare verdicts, one for each fresh incident in the order of the report, with the planted fault."""
    if not verdicts:
        return Named()
    first = verdicts[0]
    told = [*first.hypotheses[:3], *(one.hypotheses[0] for one in verdicts[1:] if one.hypotheses)]

    def is_right(one: Hypothesis) -> bool:
        return is_cause(one.stage, one.entity, meta, truth, aliases)

    head = first.hypotheses[0] if first.hypotheses else None
    said = f"{head.cause}, {head.stage}, {head.entity}" if head is not None else first.cause
    return Named(
        head is not None and is_right(head),
        any(is_right(one) for one in told),
        head is not None and head.cause == meta.cause,
        said,
    )
