"""Where columns come from, as the workspace's settings say."""

from __future__ import annotations

from recsysops.config.settings import WorkspaceSettings


def column_lineage(settings: WorkspaceSettings) -> dict[tuple[str, str], tuple[str, str]]:
    """(table, column) → the upstream (table, column); what is no ``table.column`` is left out.

    Example:
        >>> table = {"source": {"path": "x"}, "roles": {}, "columns": {"lang": {"lineage": "items.language"}}}
        >>> column_lineage(WorkspaceSettings(tables={"candidates": table}))
        {('candidates', 'lang'): ('items', 'language')}
    """
    found = {}
    for table, stated in settings.tables.items():
        for name, column in stated.columns.items():
            source, dot, origin = (column.lineage or "").partition(".")
            if dot and source and origin:
                found[table, name] = (source, origin)
    return found
