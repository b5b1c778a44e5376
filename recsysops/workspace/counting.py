"""What is counted and who judges it: the detectors of an opened workspace, over an engine that has counted for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recsysops.engines.progress import SILENT, Progress

if TYPE_CHECKING:
    from recsysops.engines.in_process import Engine, ProfilingSummary
    from recsysops.incidents.judging import Judge
    from recsysops.profiles.measures import Measure
    from recsysops.tables.table import Table
    from recsysops.triage.detector import Detector, Tier
    from recsysops.triage.loading import Loaded
    from recsysops.workspace.opened import Opened


def detectors_of(opened: Opened, only: Sequence[str] = (), skip: Sequence[str] = (), tier: Tier = "daily") -> Loaded:
    """The installed detectors and the workspace's own rules, as far as they belong to the tier, asked what to count."""
    from recsysops.incidents.standing_detectors import standing_detectors
    from recsysops.tables.open_tables import schema_of
    from recsysops.tables.views.registered import with_views
    from recsysops.triage.declared import declared_detectors
    from recsysops.triage.loading import load_detectors

    settings = opened.settings
    schema = with_views(schema_of(opened.tables))
    declared = declared_detectors(settings, schema, opened.root)
    declared += standing_detectors(opened.root, settings.detectors, declared)
    skip = (*settings.skip, *skip)
    loaded = load_detectors(settings.detectors, only=only, skip=skip, declared=declared)
    return loaded.of_tier(tier).asking(schema)


def counted_by(
    opened: Opened, tables: Mapping[str, Table], measures: Sequence[Measure], progress: Progress
) -> tuple[Engine, ProfilingSummary]:
    """An engine that has counted what is new or changed of these tables, and what that took."""
    from recsysops.engines.choose import counting_with
    from recsysops.engines.in_process import Engine
    from recsysops.tables.views.view import Folders

    days = opened.settings.detect.reference_days
    with counting_with(opened.settings.engine, opened.root) as runner:
        folders = Folders(opened.root, tuple(Path(folder) for folder in opened.settings.model_folders))
        engine = Engine(tables, opened.state, progress=progress, n_reference_days=days, runner=runner, folders=folders)
        return engine, engine.profile(measures)


def judge_of(opened: Opened) -> Judge:
    """Who judges with all detectors, once everything that can be counted is counted."""
    from recsysops.incidents.lock import workspace_lock

    with workspace_lock(opened.location, "incident"):
        chosen = detectors_of(opened)
        engine, _ = counted_by(opened, opened.tables, chosen.measures, SILENT)
        return judge_with(opened, engine, chosen.detectors)


def judge_with(opened: Opened, engine: Engine, detectors: Sequence[Detector]) -> Judge:
    """Who judges the days of this workspace with these detectors, from what an engine has counted."""
    from recsysops.config.lineage import column_lineage
    from recsysops.incidents.judging import Judge
    from recsysops.tables.agreements import sources_by_name
    from recsysops.tables.open_tables import schema_of

    settings = opened.settings
    lineage = {**sources_by_name(schema_of(opened.tables)), **column_lineage(settings)}
    return Judge(
        engine,
        detectors,
        tuple(opened.tables),
        settings.budget,
        changes=opened.known_changes(),
        lineage=lineage,
        models=opened.known_models(),
    )
