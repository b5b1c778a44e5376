"""The text of a crontab: one marked block per workspace, replaced whole and removed exactly. Pure.

Every byte outside the block stays as it was, whatever its encoding.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from recsysops.errors import ConfigError
from recsysops.scheduling.jobs import Job

_NOTE = "written by `recsysops schedule install`, which replaces it whole"
_GLUED = "; a newline was added before it"


def block(root: Path, commands: Mapping[Job, Sequence[str]]) -> bytes:
    """The lines between and with the markers, each ended by a newline.

    Raises:
        ConfigError: if a path cannot stand in a crontab.
    """
    lines = [f"{job.cron} {_command(words)}" for job, words in commands.items()]
    return "".join(f"{line}\n" for line in (_begin(root), *lines, _end(root))).encode()


def with_block(crontab: bytes, root: Path, own: bytes) -> bytes:
    """The crontab with the workspace's block in place of the one it has, or else at its end.

    Raises:
        ConfigError: if the markers have been damaged by hand.
    """
    span = _span(crontab, root)
    if span is not None:
        old = crontab[span[0] : span[1]]
        own = _glued(own) if _GLUED.encode() in old.split(b"\n", 1)[0] else own
        return crontab[: span[0]] + own + crontab[span[1] :]
    if crontab and not crontab.endswith(b"\n"):
        return crontab + b"\n" + _glued(own)
    return crontab + own


def without_block(crontab: bytes, root: Path) -> bytes:
    """The crontab as it was before the block came, bytes added by others since included."""
    span = _span(crontab, root)
    if span is None:
        return crontab
    before, old, after = crontab[: span[0]], crontab[span[0] : span[1]], crontab[span[1] :]
    if _GLUED.encode() in old.split(b"\n", 1)[0] and not after:
        before = before.removesuffix(b"\n")
    return before + after


def jobs_in(crontab: bytes, root: Path) -> tuple[str, ...] | None:
    """The lines of the workspace's block without its markers; None when it has none."""
    span = _span(crontab, root)
    return None if span is None else tuple(crontab[span[0] : span[1]].decode(errors="replace").splitlines()[1:-1])


def _span(crontab: bytes, root: Path) -> tuple[int, int] | None:
    """Where the block begins and ends."""
    begin = re.escape(_begin(root).split(" (", 1)[0].encode()) + rb" \([^\n]*\)"
    starts = [found.start() for found in re.finditer(rb"^" + begin + rb"$", crontab, re.MULTILINE)]
    ends = [found.end() for found in re.finditer(rb"^" + re.escape(_end(root).encode()) + rb"(?:\n|\Z)", crontab, re.M)]
    if not starts and not ends:
        return None
    if len(starts) != 1 or len(ends) != 1 or ends[0] <= starts[0]:
        raise ConfigError(
            "crontab",
            found=f"{len(starts)} beginnings and {len(ends)} ends of the block of {root}",
            expected="one of each, in this order",
            next_step="mend it with `crontab -e`",
        )
    return starts[0], ends[0]


def _begin(root: Path) -> str:
    return f"# >>> recsysops {_path(root)} >>> ({_NOTE})"


def _end(root: Path) -> str:
    return f"# <<< recsysops {_path(root)} <<<"


def _glued(own: bytes) -> bytes:
    """The block with the note that the line before it got its newline from us."""
    return own.replace(f"({_NOTE})".encode(), f"({_NOTE}{_GLUED})".encode(), 1)


def _command(words: Sequence[str]) -> str:
    """A command as cron wants it: quoted for the shell, and ``%``, which cron takes for a newline, escaped."""
    text = shlex.join(words)
    if "\n" in text or "\r" in text:
        raise ConfigError("schedule", found="a line break in the path of the workspace or program", expected="none")
    if "\\%" in text:
        raise ConfigError("schedule", found=r"\% in the path of the workspace or program", expected="another path")
    return text.replace("%", r"\%") + " >/dev/null"


def _path(root: Path) -> str:
    text = str(root.resolve())
    if "\n" in text or "\r" in text:
        raise ConfigError("schedule", found="a line break in the workspace's path", expected="none")
    return text
