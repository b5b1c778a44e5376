"""Which files belong together: folders, dated or numbered files, tables of a database file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from recsysops.errors import RecSysOpsError, SourceError
from recsysops.inspection.database_listing import database_tables
from recsysops.inspection.values import Found
from recsysops.tables.files import LocalFile, list_files
from recsysops.tables.open_source import detect_format

MAX_FILES = 100_000
_VARYING = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+", re.IGNORECASE)


def discover(paths: Iterable[str], root: Path) -> tuple[tuple[Found, ...], tuple[str, ...]]:
    """The sources that files, folders and globs stand for, and what had to be left out, as notes.

    Args:
        paths: as typed; relative ones are relative to the current folder.
        root: the workspace's folder, to which the paths of the result are relative where they lie inside.

    Raises:
        SourceError: if a path matches nothing, or nothing of a known format.
    """
    found: list[Found] = []
    notes: list[str] = []
    for path in paths:
        files = list_files(str(Path(path).absolute()), root.absolute())
        if len(files) > MAX_FILES:
            raise SourceError(path, found=f"{len(files):,} files", expected=f"at most {MAX_FILES:,}")
        known = _with_formats(files, root, notes)
        if not known:
            raise SourceError(
                path,
                found="; ".join(notes[:3]) or "no file of a known format",
                expected="Parquet, CSV, JSON lines, Arrow, DuckDB or SQLite files",
            )
        for group in _groups(known):
            found += _sources(group, [file for file, _ in known], root, is_one_file=Path(path).is_file())
    return tuple(dict.fromkeys(found)), tuple(notes)


def _with_formats(files: Iterable[LocalFile], root: Path, notes: list[str]) -> list[tuple[LocalFile, str]]:
    known: list[tuple[LocalFile, str]] = []
    for file in files:
        try:
            file.key.encode()  # readers and YAML take only names that are text
            known.append((file, detect_format(file.key, root)))
        except (RecSysOpsError, UnicodeEncodeError):
            if len(notes) < 20:
                notes.append(f"left out {file.key!r}: a format or a name that cannot be read")
    return known


def _groups(known: Iterable[tuple[LocalFile, str]]) -> list[tuple[str, list[LocalFile]]]:
    """Files of one format, in one folder (hive folders aside), whose names differ only in digits."""
    groups: dict[tuple[str, str, str], list[LocalFile]] = {}
    for file, format_name in known:
        stem = _VARYING.sub("#", file.path.name)
        is_hive = _table_folder(file.path) != file.path.parent
        groups.setdefault((str(_table_folder(file.path)), format_name, "" if is_hive else stem), []).append(file)
    return [(format_name, files) for (_, format_name, _), files in groups.items()]


def _table_folder(path: Path) -> Path:
    """The folder above all ``name=value`` folders."""
    folder = path.parent
    while "=" in folder.name:
        folder = folder.parent
    return folder


def _sources(
    group: tuple[str, list[LocalFile]], everything: list[LocalFile], root: Path, *, is_one_file: bool
) -> list[Found]:
    format_name, files = group
    if format_name in ("sqlite", "duckdb"):
        return [
            Found(_relative(file.path, root), format_name, table, 1, file.path.stat().st_size)
            for file in files
            for table in database_tables(file.path, format_name)
        ]
    n_bytes = sum(file.path.stat().st_size for file in files)
    named = [(_relative(files[0].path, root), 1)] if is_one_file else _patterns(files, everything, root)
    return [Found(path, format_name, None, n, n_bytes) for path, n in named]


def _patterns(files: list[LocalFile], everything: list[LocalFile], root: Path) -> list[tuple[str, int]]:
    """(path for the settings, number of files): a folder or a glob that stands for exactly these files.

    A folder with a single file may be the first day of many, so it is named and not the file.
    """
    folder = _table_folder(files[0].path)
    keys = {file.key for file in files}
    below = {file.key for file in everything if file.path.is_relative_to(folder)}
    stem = _VARYING.sub("*", files[0].path.name)
    stem = re.sub(r"\*([\W_]*\*)+", "*", stem)
    for path in [folder] if below == keys and folder.resolve() != root.resolve() else [folder / stem]:
        pattern = _relative(path, root)
        try:
            matched = {file.key for file in list_files(pattern, root.absolute())}
        except RecSysOpsError:
            continue
        if matched == keys:
            return [(pattern, len(files))]
    return [(_relative(file.path, root), 1) for file in files]


def _relative(path: Path, root: Path) -> str:
    absolute, base = path.absolute(), root.absolute()
    return absolute.relative_to(base).as_posix() if absolute.is_relative_to(base) else absolute.as_posix()
