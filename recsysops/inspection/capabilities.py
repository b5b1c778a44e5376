"""What recsysops can do with a workspace, as a table: each capability and the tables and roles it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recsysops.config.settings import TableSettings
from recsysops.inspection.report import Capability


@dataclass(frozen=True)
class Need:
    """A capability and the roles it needs, as ``table.role``; ``table.features`` and ``table.slices`` mean any."""

    name: str
    roles: tuple[str, ...]
    is_planned: bool = False
    """No command of this version does it yet; the logs can be got ready for it."""


NEEDS: tuple[Need, ...] = (
    Need("row volume and freshness", ("candidates.ts",)),
    Need("missing, defaulted and shifted features", ("candidates.features",)),
    Need("counts by market, device, …", ("candidates.slices",)),
    Need("duplicate candidates", ("candidates.request_id", "candidates.item_id", "candidates.position")),
    Need("invalid and shifted scores", ("candidates.score",)),
    Need("item domination and exposure", ("candidates.item_id", "candidates.position")),
    Need("comparison of models", ("candidates.model_id",)),
    Need("calibration and ranking quality", ("outcomes.request_id", "candidates.score", "candidates.position")),
    Need("cold start of launches", ("items.launch_at", "candidates.item_id")),
    Need("planned changes told from faults", ("changes.ts", "changes.kind", "changes.scope")),
    Need("outcome rates of two cohorts", ("outcomes.request_id", "outcomes.item_id")),
    Need("reach per member", ("candidates.member_id",), is_planned=True),
    Need("label delay", ("outcomes.ingested_at",)),
    Need("what members look for by themselves", ("outcomes.origin", "outcomes.member_id", "candidates.member_id")),
    Need("estimates of outcomes for hotfix quotes", ("candidates.propensity", "outcomes.request_id"), is_planned=True),
    Need("launch forecasts", ("items.launch_at", "items.as_of"), is_planned=True),
    Need("eligibility per market", ("availability.market", "availability.from", "availability.to")),
    Need("training-serving skew", ("item_features.available_at", "candidates.features")),
    Need("replay of scores, audit of new artifacts", ("models.path", "candidates.model_id", "candidates.features")),
    Need("explanation of scores", ("models.path", "candidates.features"), is_planned=True),
    Need("causes among deploys and config changes", ("changes.ts", "changes.kind"), is_planned=True),
)


_ADDING = {"changes": "add a table of changes, or call `recsysops change record` from CI"}


def capabilities(tables: Mapping[str, TableSettings], *, has_recorded_changes: bool = False) -> tuple[Capability, ...]:
    """Every capability of :data:`NEEDS`: whether the configured tables and roles suffice, and what is missing.

    Args:
        tables: of the workspace's settings.
        has_recorded_changes: whether ``recsysops change record`` has been used, which is as good as a table of changes.
    """
    found = []
    for need in NEEDS:
        missing = [role for role in need.roles if not _is_there(role, tables)]
        if has_recorded_changes:
            missing = [role for role in missing if not role.startswith("changes.")]
        found.append(
            Capability(need.name, not missing, ", ".join(need.roles), _advice(missing, tables), need.is_planned)
        )
    return tuple(found)


def _is_there(role: str, tables: Mapping[str, TableSettings]) -> bool:
    name, _, part = role.partition(".")
    table = tables.get(name)
    if table is None:
        return False
    if part == "features":
        return bool(table.features)
    return bool(table.slices) if part == "slices" else part in table.roles


def _advice(missing: list[str], tables: Mapping[str, TableSettings]) -> str:
    """What would switch it on: tables first, then roles of tables that are there."""
    absent = list(dict.fromkeys(role.partition(".")[0] for role in missing if role.partition(".")[0] not in tables))
    roles = [role for role in missing if role.partition(".")[0] in tables]
    parts = [_ADDING.get(name, f"add a table of {name}") for name in absent] + (
        [f"map {', '.join(roles)}"] if roles else []
    )
    return " and ".join(parts)
