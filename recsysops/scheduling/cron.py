"""The user's crontab: read, written whole, and read again to see that it took."""

from __future__ import annotations

import shutil

from recsysops.errors import ConfigError
from recsysops.reporting.plain import literal
from recsysops.scheduling.programs import ask, demand

PROGRAM = "crontab"


def is_there() -> bool:
    """Whether the machine has cron."""
    return shutil.which(PROGRAM) is not None


def read_crontab() -> bytes:
    """The user's crontab; empty when there is none yet.

    Raises:
        ConfigError: if it cannot be read for any other reason; writing then would lose what stands in it.
    """
    answer = ask([PROGRAM, "-l"])
    if answer.returncode == 0:
        return answer.stdout
    said = answer.stderr.decode(errors="replace").strip()
    if "no crontab" in said.lower():
        return b""
    raise ConfigError("`crontab -l`", found=literal(said) or f"exit code {answer.returncode}", expected="your crontab")


def write_crontab(text: bytes) -> None:
    """Put the text in place of the crontab; an empty one is removed.

    Raises:
        ConfigError: if cron refuses it, or shows another one afterwards.
    """
    if text:
        demand([PROGRAM, "-"], text)
    elif read_crontab():
        demand([PROGRAM, "-r"])
    if read_crontab() != text:
        raise ConfigError(
            "crontab", found="another text than was written", expected="the same", next_step="look at `crontab -l`"
        )
