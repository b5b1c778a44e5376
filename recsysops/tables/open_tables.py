"""Open the tables of a workspace, refusing what the contract cannot carry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from recsysops.config.settings import TableSettings, WorkspaceSettings
from recsysops.errors import ConfigError
from recsysops.tables.agreements import refuse_unknown
from recsysops.tables.binding import bind
from recsysops.tables.contract import TABLES
from recsysops.tables.nearest import did_you_mean
from recsysops.tables.observed import observe
from recsysops.tables.open_source import open_source
from recsysops.tables.schema import Schema
from recsysops.tables.table import Table


def open_tables(settings: WorkspaceSettings, root: Path) -> Mapping[str, Table]:
    """Every table that the workspace names, by contract name; reads schemas only.

    Args:
        settings: the workspace's settings.
        root: the workspace folder.

    Raises:
        ConfigError: if a table, role or time zone does not exist, or a required role is missing.
        SchemaError: if columns are absent or of the wrong kind.
        SourceError: if there are no files, or they cannot be read.
    """
    opened = {
        name: open_table(name, table, table.timezone or settings.timezone, root)
        for name, table in settings.tables.items()
    }
    refuse_unknown(schema_of(opened))
    return MappingProxyType(opened)


def open_table(name: str, settings: TableSettings, timezone: str, root: Path) -> Table:
    """One table; errors as for ``open_tables``."""
    contract = TABLES.get(name)
    if contract is None:
        raise ConfigError(
            "tables",
            found=f"table {name!r}",
            expected="a table of the contract",
            next_step=did_you_mean(name, TABLES, f"tables are {', '.join(TABLES)}"),
        )
    _refuse_unknown_zone(name, timezone)
    source = open_source(settings.source, root)
    observed = observe(name, source, settings.unnest)
    return Table(name, settings, source, bind(contract, settings, observed), timezone)


def schema_of(tables: Mapping[str, Table]) -> Schema:
    """What detectors are shown of these tables."""
    return Schema(MappingProxyType({name: table.schema for name, table in tables.items()}))


def _refuse_unknown_zone(table: str, timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigError(
            f"time zone of {table}",
            found=repr(timezone),
            expected="an IANA name such as Europe/Oslo",
            next_step="correct timezone",
        ) from error
