"""Run one command in this process and hold it to the rules that every command keeps, whatever it is fed."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsysops.cli import main

_TEMPORARY = re.compile(r"\..*-\d+-[0-9a-f]{8}(\.\w+)?$")
LONGEST_MESSAGE = 500
HONEST = frozenset({0, 1, 2, 6})


@dataclass(frozen=True)
class Ran:
    """What a command said."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The one line of the error, or nothing."""
        return self.err.removeprefix("error: ").rstrip("\n")

    @property
    def value(self) -> dict[str, Any]:
        """The JSON object of a command that ran with ``--json``; NaN refused."""
        value = json.loads(self.out, parse_constant=_refuse)
        assert isinstance(value, dict)
        return value


def run(*words: str) -> Ran:
    """Run a command and check what must always hold: an honest code, one-line errors, nothing a terminal obeys."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(words)
    ran = Ran(words, code, out.getvalue(), err.getvalue())
    check_honest(ran)
    return ran


def check_honest(ran: Ran) -> None:
    """The rules of every command, as assertions that show what was said."""
    said = f"{' '.join(ran.words)[:200]}\n{ran.code}\n{ran.out[-2000:]}\n{ran.err[-2000:]}"
    assert ran.code in HONEST, said
    assert "Traceback" not in ran.out + ran.err, said
    assert not _commands(ran.err if "--json" in ran.words else ran.out + ran.err), said
    assert not [character for character in ran.out if character < " " and character != "\n"], said
    is_error = bool(ran.err)
    if is_error:
        assert ran.code == 2, said
        assert ran.err.startswith("error: "), said
        assert ran.err.count("\n") == 1, said
        assert len(ran.message) <= LONGEST_MESSAGE, said
        assert "found " in ran.message or "see `recsysops" in ran.message, said
        assert ", expected " in ran.message or "; " in ran.message, said
    if "--json" in ran.words:
        assert ran.out.count("\n") == 1, said
        assert ran.value["schema_version"] == 1, said
        assert ("error" in ran.value) == is_error, said


def leftovers(root: Path) -> list[str]:
    """Files that only a write that was not finished leaves behind."""
    return [str(path) for path in root.rglob("*") if _TEMPORARY.match(path.name)]


def _commands(text: str) -> list[str]:
    """Characters that a terminal would obey instead of showing."""
    return [
        character for character in text if character != "\n" and unicodedata.category(character) in {"Cc", "Cf", "Cs"}
    ]


def _refuse(word: str) -> None:
    raise AssertionError(f"{word} in JSON")
