"""Settings back to YAML, such that loading them gives equal settings."""

from __future__ import annotations

from recsysops.config.settings import WorkspaceSettings
from recsysops.config.variables import escape_variables
from recsysops.config.yaml_dialect import dump_yaml


def dump_settings(settings: WorkspaceSettings) -> str:
    """YAML of everything that differs from the defaults.

    Secrets and paths stand in it as they were filled in: it is meant for tests and tools, not for a repository.
    """
    data = {"version": settings.version, **settings.model_dump(exclude_defaults=True)}
    data["tables"] = {name: table.model_dump(exclude_defaults=True) for name, table in settings.tables.items()}
    return dump_yaml(escape_variables(data))
