"""Logs to try everything on, each with its origin and licence in its own README.

A sample is a folder of Parquet files in the data contract, so a workspace can name it as a source as it stands.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

__all__ = ["names", "path"]


def names() -> list[str]:
    """The samples that are shipped: every folder beside this file that has a README."""
    return sorted(readme.parent.name for readme in _root().glob("*/README.md"))


def path(name: str) -> Path:
    """The folder of one sample.

    Raises ValueError when there is no sample of that name.

    >>> (path("open_bandit") / "items" / "items.parquet").is_file()
    True
    """
    if name not in names():
        raise ValueError(f"sample_logs: found the name {name!r}, expected one of: {', '.join(names())}")
    return _root() / name


def _root() -> Path:
    return Path(str(resources.files("recsysops") / "sample_logs"))
