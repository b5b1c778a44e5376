"""The command line: one thin file per verb, imported only when its word is typed."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; the console script ``recsysops`` ends with it.

    Args:
        argv: the words after ``recsysops``; those of the process when None.
    """
    import gc
    import sys

    from recsysops.cli.boundary import guarded

    if argv is not None:
        return guarded(list(argv))
    code = guarded(sys.argv[1:])
    gc.freeze()  # the process ends: looking for cycles among all that was imported would take half a second
    return code


__all__ = ["main"]
