"""The page of ``recsysops diagnose --html``."""

from __future__ import annotations

from pathlib import Path

from recsysops.cases.diagnosis import Diagnosis
from recsysops.reporting.diagnosis_answer import (
    FAULTS,
    answer_rows,
    standing,
    subject_line,
    verdict_line,
    window_text,
)
from recsysops.reporting.item_sections import section
from recsysops.reporting.lines import Column
from recsysops.reporting.numbers import percent
from recsysops.reporting.page_table import PageTable
from recsysops.reporting.plain import literal
from recsysops.reporting.templated import page, write_page


def diagnosis_page(diagnosis: Diagnosis) -> str:
    """The whole page as text."""
    return page(
        "diagnosis.html",
        {
            "subject": subject_line(diagnosis),
            "command": f"diagnose {diagnosis.kind} {literal(diagnosis.subject, 80)}",
            "window": window_text(diagnosis.window),
            "answer": verdict_line(diagnosis),
            "standing": standing(diagnosis),
            "is_fault": diagnosis.verdict.cause in FAULTS,
            "rows": list(answer_rows(diagnosis)),
            "next": [f"recsysops {literal(one)}" for one in diagnosis.next if not _is_this_page(diagnosis, one)],
            "sections": [section(diagnosis, one) for one in diagnosis.evidence],
            "others": _others(diagnosis),
        },
    )


def write_diagnosis_page(diagnosis: Diagnosis, path: Path) -> None:
    """Write the page, whole or not at all.

    Raises:
        OSError: if the file cannot be written.
    """
    write_page(diagnosis_page(diagnosis), path)


def _is_this_page(diagnosis: Diagnosis, command: str) -> bool:
    return command.startswith(f"diagnose {diagnosis.kind} ") and " --html " in command


def _others(diagnosis: Diagnosis) -> PageTable | None:
    """What else was thought of; None where there is nothing but the verdict."""
    verdict = diagnosis.verdict
    left = verdict.hypotheses[verdict.cause != "abstain" :]
    if not left:
        return None
    none = 1.0 - sum(one.weight for one in verdict.hypotheses)
    columns = (
        Column("cause", (*(literal(f"{one.cause}, {one.stage}", 80) for one in left), "none of these")),
        Column("what", (*(literal(one.entity, 80) for one in left), "–")),
        Column("belief", (*(percent(one.weight) for one in left), percent(max(none, 0.0))), is_number=True),
        Column("because", (*(literal("; ".join(sign.words for sign in one.signs)) for one in left), "–")),
    )
    return PageTable("All beliefs, with that of the verdict, sum to 100 %", columns)
