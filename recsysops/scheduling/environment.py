"""A file of ``NAME=VALUE`` lines for what cron does not know. It is read as data: nothing in it is run or expanded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from recsysops.errors import ConfigError

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")
MAX_BYTES = 1 << 16


def read_environment(path: Path) -> Mapping[str, str]:
    """The variables of the file; comments and empty lines are skipped, quotes around a whole value are taken off.

    Raises:
        ConfigError: naming the line, never its value.
    """
    where = f"--environment {path}"
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(where, found="a large file", expected=f"at most {MAX_BYTES:,} bytes")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else "bytes that are not UTF-8"
        raise ConfigError(where, found=reason, expected="a file of lines NAME=VALUE") from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise ConfigError(f"{where}:{number}", found="another line", expected="NAME=VALUE")
        found[match[1]] = _unquoted(match[2].strip())
    return found


def _unquoted(value: str) -> str:
    is_quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if is_quoted else value
