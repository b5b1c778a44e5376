"""The command line: one thin file per verb, imported only when its word is typed."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; the console script ``recsysops`` ends with it.

    Args:
        argv: the words after ``recsysops``; those of the process when None.
    """
    import sys

    from recsysops.cli.boundary import guarded

    if argv is None:
        seldom_collect()
    return guarded(list(sys.argv[1:] if argv is None else argv))


def seldom_collect() -> None:
    """Look for cycles rarely: a command makes few, and looking through every imported module took a tenth of its time."""
    import gc

    gc.set_threshold(100_000, 50, 50)


__all__ = ["main", "seldom_collect"]
