"""The diagnosis of an item: its case examined, weighed, and put into words that say whom to call."""

from __future__ import annotations

from datetime import UTC
from shlex import quote
from typing import Any

from recsysops.cases.diagnosis import Diagnosis
from recsysops.cases.examining import examine
from recsysops.cases.item_case import ItemCase
from recsysops.cases.item_verdict import item_verdict
from recsysops.cases.verdict import Verdict
from recsysops.engines.progress import SILENT, Progress

ABOUT = ("title", "kind", "country")


def diagnose_item(case: ItemCase, *, progress: Progress = SILENT) -> Diagnosis:
    """Examine the case with every step for items, and judge."""
    evidence = examine(case, "item", progress=progress)
    verdict = item_verdict(case, evidence)
    return Diagnosis(
        "item", case.item, case.window, verdict, evidence, _about(case), _owner(case, verdict), _next(case, verdict)
    )


def _about(case: ItemCase) -> dict[str, str]:
    now = case.history.now
    found = {name: str(now[f"items.{name}"]) for name in ABOUT if now.get(f"items.{name}") is not None}
    launch: Any = now.get("items.launch_at")
    if launch is not None and hasattr(launch, "astimezone"):
        days = (case.window.end - launch).total_seconds() / 86_400
        age = f"{days:.0f} d ago" if days >= 0 else f"in {-days:.0f} d"
        found["launched"] = f"{launch.astimezone(UTC):%Y-%m-%d} ({age})"
    return found


def _owner(case: ItemCase, verdict: Verdict) -> str:
    """Who answers for the column, for its table, or for the item."""
    name, _, column = verdict.entity.partition(".")
    table = case.tables.get(name)
    if table is None and (own := case.tables["candidates"].schema.column(verdict.entity)) is not None:
        return own.owner or case.tables["candidates"].settings.owner or ""
    if table is None:
        return ""
    stated = table.schema.column(column)
    return (stated.owner if stated is not None and stated.owner else table.settings.owner) or ""


def _next(case: ItemCase, verdict: Verdict) -> tuple[str, ...]:
    item = quote(case.item)
    found = [f"diagnose item {item} --html {quote(f'item-{case.item}.html')}"]
    if verdict.cause == "abstain" and case.problems:
        found.append("check")
    return (*found, f"peers {item}")
