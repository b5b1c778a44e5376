"""How a file is recognised when it has changed, without reading all of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from recsysops.tables.files import LocalFile, unreadable

SMALL_FILE_BYTES = 1 << 20
"""Files up to this size are digested whole; of larger ones only the head and the tail (a Parquet footer) are."""


def fingerprint(file: LocalFile, companions: Iterable[Path] = ()) -> tuple[str, int, float]:
    """A digest that differs whenever the content may differ, with the size and the time of the last change.

    Args:
        file: the file.
        companions: files that belong to its content when they exist (a database's write-ahead log).

    Returns:
        (64 hexadecimal digits, bytes, seconds since the epoch).

    Raises:
        SourceError: if the file cannot be read.
    """
    digest = hashlib.sha256(file.key.encode("utf-8", "surrogateescape"))
    n_bytes, modified_ns = 0, 0
    try:
        for path in (file.path, *(path for path in companions if path.exists())):
            status = path.stat()
            digest.update(f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
            digest.update(_content_digest(path, status.st_size))
            n_bytes += status.st_size
            modified_ns = max(modified_ns, status.st_mtime_ns)
    except OSError as error:
        raise unreadable(file.path, error) from error
    return digest.hexdigest(), n_bytes, modified_ns / 1e9


def _content_digest(path: Path, size: int) -> bytes:
    """The whole of a small file; of a large one its head and its tail, where Parquet keeps its footer."""
    with path.open("rb") as stream:
        if size <= SMALL_FILE_BYTES:
            return hashlib.sha256(stream.read()).digest()
        digest = hashlib.sha256(stream.read(4096))
        stream.seek(-8, os.SEEK_END)
        tail = stream.read(8)
        footer = int.from_bytes(tail[:4], "little") + 8 if tail[4:] == b"PAR1" else 4096
        stream.seek(-min(footer, size), os.SEEK_END)
        digest.update(stream.read())
        return digest.digest()
