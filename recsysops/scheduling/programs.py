"""Asking another program of the machine: ``crontab``, ``systemctl``, ``loginctl``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from recsysops.errors import ConfigError
from recsysops.reporting.plain import literal

TIMEOUT_SECONDS = 60


def ask(words: Sequence[str], text: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run a program in plain English and return what it said, whatever its exit code.

    Raises:
        ConfigError: if it is not there or does not end.
    """
    try:
        return subprocess.run(  # noqa: S603  (the words are ours)
            list(words),
            input=text if text is not None else b"",
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except FileNotFoundError:
        raise ConfigError("schedule", found=f"no program `{words[0]}`", expected="cron or systemd") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"`{words[0]}`", found=f"no end after {TIMEOUT_SECONDS} s", expected="an answer") from None


def demand(words: Sequence[str], text: bytes | None = None) -> bytes:
    """The same, with a refusal turned into an error."""
    answer = ask(words, text)
    if answer.returncode != 0:
        said = answer.stderr.decode(errors="replace").strip() or f"exit code {answer.returncode}"
        raise ConfigError(f"`{' '.join(words)}`", found=literal(said), next_step="nothing else was changed")
    return answer.stdout
