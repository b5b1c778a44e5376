"""A digest of everything that decides the outcome of a drill, so that nothing outdated is taken for a result."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import recsysops
from recsysops.registry import plugins

LIBRARIES = ("duckdb", "lightgbm", "numpy", "pyarrow", "scipy")
PRESENTATION = frozenset({"cli", "drills/own_logs", "drills/views", "testing"})
"""Folders whose code no trial runs; a page may be redrawn without running the drill again."""


def digest(*parts: object) -> str:
    """Twenty hexadecimal digits that differ when any part does; parts are compared as they are shown by ``repr``."""
    return hashlib.sha256(json.dumps([repr(part) for part in parts]).encode()).hexdigest()[:20]


@cache
def code_digest() -> str:
    """Of our own source files, of the libraries that compute, and of installed detectors of others.

    A fault's file is not part of it, since no other trial depends on it: see ``source_digest``.
    """
    known = hashlib.sha256()
    root = Path(recsysops.__file__).parent
    faults = {one.target.partition(":")[0].replace(".", "/") + ".py" for one in plugins("faults")}
    for path in sorted(_sources(root)):
        if path.relative_to(root.parent).as_posix() not in faults:
            known.update(str(path.relative_to(root)).encode() + b"\x00" + path.read_bytes())
    others = [(one.name, one.target, one.origin) for one in plugins("detectors")]
    return digest(known.hexdigest(), [(name, _version(name)) for name in LIBRARIES], others)


def _sources(root: Path) -> list[Path]:
    """Every Python file, behind the links to the shelves too."""
    return [
        Path(folder) / name
        for folder, _, names in os.walk(root, followlinks=True)
        if Path(folder).relative_to(root).as_posix() not in PRESENTATION
        for name in names
        if name.endswith(".py")
    ]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


def source_digest(kind: Any) -> str:
    """Of the file that a class or function comes from: faults of others are not among our own sources."""
    path = inspect.getsourcefile(inspect.unwrap(kind))
    return digest(f"{kind.__module__}:{kind.__qualname__}", _content(path) if path else b"")


@cache
def _content(path: str) -> bytes:
    return Path(path).read_bytes()
