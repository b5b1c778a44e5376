"""Which files a path, folder or glob stands for, and how each is recognised when it has changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote

from recsysops.errors import SourceError

_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
_PASSWORD = re.compile(r"(://[^/@:]*:)[^/@]*@")
_MAGIC = re.compile(r"[*?\[]")
_NULL_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class LocalFile:
    """A file found below a workspace. ``key`` is its path relative to the workspace, or absolute when outside."""

    key: str
    path: Path


def list_files(pattern: str, root: Path, suffixes: Iterable[str] = ()) -> tuple[LocalFile, ...]:
    """The files that a file name, folder or glob (``**`` too) stands for, by key.

    Folders are read recursively; from them only files that end in one of ``suffixes`` are taken (all when none is
    given), or, when there are none of these, files without any ending. Names that begin with ``.`` or ``_`` are left
    out unless spelt in the pattern. Each real folder is entered once, so that loops of symbolic links end.

    Raises:
        SourceError: for a URL, an unreadable folder, or when nothing matches.
    """
    if is_url(pattern):
        raise SourceError(
            without_password(pattern),
            found="a URL",
            expected="a local file, folder or glob",
            next_step="copy or mount the files, or set source.format to parquet, delta, iceberg or database",
        )
    anchor, segments = _split(pattern, root)
    endings = tuple(suffixes)
    reached = list(_expand(anchor, segments, set()))
    found = {file for path in reached for file in _files_of(path, lambda name: name.lower().endswith(endings or ""))}
    if not found:  # part-00000 of exports that name no format
        found = {file for path in reached for file in _files_of(path, lambda name: "." not in name)}
    files = sorted((LocalFile(_key(path, root), path) for path in found), key=lambda file: file.key)
    if not files:
        raise _nothing_matches(pattern, root, endings)
    return tuple(files)


def is_url(path: str) -> bool:
    """Whether a source's path is a URL and not a name in the file system."""
    return _URL.match(path) is not None


def without_password(path: str) -> str:
    """A source's path to be shown: of a URL, without the password in it.

    Example:
        >>> without_password("postgresql://team:secret@host/logs")
        'postgresql://team:***@host/logs'
    """
    return _PASSWORD.sub(r"\1***@", path)


def hive_values(key: str) -> tuple[tuple[str, str], ...]:
    """``key=value`` pairs of the folders of a path, percent-decoded; Hive's mark for NULL becomes the empty string.

    Example:
        >>> hive_values("logs/day=2026-01-02/market=N%2FO/part-0.parquet")
        (('day', '2026-01-02'), ('market', 'N/O'))
    """
    pairs = [part.partition("=") for part in key.split("/")[:-1]]
    return tuple(
        (unquote(name), "" if value == _NULL_VALUE else unquote(value)) for name, sep, value in pairs if sep and name
    )


def unreadable(path: Path, error: OSError) -> SourceError:
    """The error for a file or folder that the operating system refuses to read."""
    return SourceError(
        str(path),
        found=(error.strerror or str(error)).lower(),
        expected="a readable file or folder",
        next_step="check the path and its permissions",
    )


def _split(pattern: str, root: Path) -> tuple[Path, tuple[str, ...]]:
    """The part of a pattern that is an existing path, and the segments after it."""
    if (root / pattern).exists():  # a name that holds [ or * and is really there is meant literally
        return root / pattern, ()
    parts = Path(pattern).parts
    fixed = next((index for index, part in enumerate(parts) if _MAGIC.search(part)), len(parts))
    return root.joinpath(*parts[:fixed]), parts[fixed:]


def _expand(path: Path, segments: tuple[str, ...], entered: set[tuple[int, int]]) -> Iterator[Path]:
    """Files and folders that the segments of a pattern reach from a path."""
    if segments in ((), ("**",)):
        if path.exists():
            yield path
    elif segments[0] == "**":
        if _enter(path, entered):
            yield from _expand(path, segments[1:], set())
            for entry in _folders(path):
                yield from _expand(entry, segments, entered)
    elif not _MAGIC.search(segments[0]):
        yield from _expand(path / segments[0], segments[1:], entered)
    else:
        for entry in _entries(path, segments[0]):
            yield from _expand(entry, segments[1:], entered)


def _files_of(path: Path, is_wanted: Callable[[str], bool]) -> Iterator[Path]:
    """The path itself when it is a file; when it is a folder, the files below it whose names are wanted."""
    if not path.is_dir():
        yield path
        return
    yield from (file for file in _walk(path, set()) if is_wanted(file.name))


def _walk(folder: Path, entered: set[tuple[int, int]]) -> Iterator[Path]:
    if not _enter(folder, entered):
        return
    for entry in _entries(folder):
        if entry.is_dir():
            yield from _walk(entry, entered)
        else:
            yield entry


def _enter(folder: Path, entered: set[tuple[int, int]]) -> bool:
    """Whether this real folder is new; links may lead to it again."""
    if not folder.is_dir():
        return False
    status = folder.stat()
    identity = (status.st_dev, status.st_ino)
    if identity in entered:
        return False
    entered.add(identity)
    return True


def _entries(folder: Path, pattern: str = "*") -> list[Path]:
    """Visible entries of a folder in name order; dangling links are left out."""
    try:
        names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise unreadable(folder, error) from error
    visible = (name for name in names if not name.startswith((".", "_")) or name[0] == pattern[0])
    return [folder / name for name in visible if fnmatchcase(name, pattern) and (folder / name).exists()]


def _folders(folder: Path) -> list[Path]:
    return [entry for entry in _entries(folder) if entry.is_dir()]


def _key(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


def _nothing_matches(pattern: str, root: Path, endings: tuple[str, ...]) -> SourceError:
    nearest = root / pattern
    while not nearest.is_dir() and nearest != nearest.parent:
        nearest = nearest.parent
    what = f"no file ending in {', '.join(endings)}" if endings else "no such file"
    n_entries = len(_entries(nearest))
    return SourceError(
        pattern,
        found=f"{what} (the nearest folder that exists is {nearest}, with {n_entries} visible entries)",
        expected="at least one file",
        next_step="correct source.path, or wait for the export",
    )
