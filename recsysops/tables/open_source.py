"""From the ``source`` section of a table to a source that reads it."""

from __future__ import annotations

from pathlib import Path

from recsysops import registry
from recsysops.config.settings import SourceSettings
from recsysops.errors import SourceError
from recsysops.tables.files import is_url, list_files
from recsysops.tables.formats import ENDINGS, MAGIC
from recsysops.tables.source import Source

STORES = frozenset({"s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs", "file"})
"""Schemes that pyarrow opens; any other is taken for a database's."""


def open_source(settings: SourceSettings, root: Path) -> Source:
    """The source for these settings; built-in and installed formats are found by the same path.

    Args:
        settings: the table's ``source`` section.
        root: the workspace folder, to which ``settings.path`` is relative.

    Raises:
        SourceError: if ``format: auto`` finds no file, none it knows, or several formats.
        PluginError: if the format is not installed.
    """
    name = detect_format(settings.path, root) if settings.format == "auto" else settings.format
    if name == "parquet" and is_url(settings.path):
        name = "object_store"
    source: Source = registry.plugin("sources", name).load()(settings, root)
    return source


def detect_format(path: str, root: Path) -> str:
    """The one format of the files that a path, folder or glob stands for, by ending and else by first bytes.

    A folder with a Delta log is a Delta table; a URL is Parquet in an object store, or a database.

    Raises:
        SourceError: if there is no file, none of a known format, or several formats.
    """
    if is_url(path):
        return "object_store" if path.partition("://")[0].lower() in STORES else "database"
    if (root / path / "_delta_log").is_dir():
        return "delta"
    by_format: dict[str, str] = {}
    for file in list_files(path, root):
        by_format.setdefault(_format_of(file.path), file.key)
    unknown = by_format.pop("", None)
    if len(by_format) == 1:
        return next(iter(by_format))
    found = ", ".join(f"{name} ({key})" for name, key in sorted(by_format.items())) or f"{unknown}, of no known format"
    raise SourceError(
        path,
        found=found,
        expected="files of one format",
        next_step=f"set source.format to one of {', '.join(ENDINGS)}",
    )


def _format_of(path: Path) -> str:
    for name, endings in ENDINGS.items():
        if path.name.lower().endswith(endings):
            return name
    try:
        with path.open("rb") as stream:
            head = stream.read(32)
    except OSError:
        return ""
    return next((name for name, offset, magic in MAGIC if head[offset:].startswith(magic)), "")
