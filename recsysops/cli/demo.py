"""``recsysops demo``: the whole way on logs that come with the program, with the commands that anybody can type again."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from recsysops.cli.options import Options, options_of
from recsysops.cli.output import print_json

TABLES = ("candidates", "outcomes", "items")
WRONG_SINCE = "2026-10-28"
"""The day on which the streaming sample's story begins."""


class Logs(StrEnum):
    """The samples there is a demo of."""

    OPEN_BANDIT = "open_bandit"
    STREAMING = "streaming"


@dataclass(frozen=True)
class Tour:
    """A demo of one sample."""

    parts: Sequence[str]
    """Files and folders of the sample that are copied."""
    commands: Callable[[Path, bool], list[list[str]]]
    """The words of each command after ``recsysops``, for a folder and whether it may be written over."""
    closing: Callable[[str], str]
    """What is said at the end, for a quoted folder."""


def run(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to put it.", metavar="[FOLDER]")] = Path("recsysops-demo"),
    logs: Annotated[
        Logs,
        typer.Option("--logs", help="open_bandit: real, a fashion shop; streaming: simulated, with a planted fault."),
    ] = Logs.OPEN_BANDIT,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
) -> int:
    """Try it all on logs that come with the program."""
    options = options_of(ctx)
    copy_sample(folder, force=force, logs=logs)
    codes = {}
    for words in commands(folder, force=force, logs=logs):
        shown = shlex.join(["recsysops", *words])
        if not options.json:
            print(f"\n$ {shown}", flush=True)
        codes[shown] = _run(words, options)
    if options.json:
        print_json({"schema_version": 1, "folder": str(folder), "commands": codes})
    else:
        print(TOURS[logs].closing(shlex.quote(str(folder))))
    return 0 if all(code in {0, 1, 6} for code in codes.values()) else max(codes.values())


def commands(folder: Path, *, force: bool = False, logs: Logs = Logs.OPEN_BANDIT) -> list[list[str]]:
    """The words of each command of the demo, as a user would type them after ``recsysops``."""
    return TOURS[logs].commands(folder, force)


def copy_sample(folder: Path, *, force: bool, logs: Logs = Logs.OPEN_BANDIT) -> None:
    """Copy the sample's files into the folder; nothing that is there is deleted.

    Raises:
        ConfigError: if the folder is not empty and ``force`` is not given, or is a file.
        SourceError: if it cannot be written.
    """
    import shutil

    from recsysops import sample_logs
    from recsysops.errors import ConfigError, SourceError

    try:
        if folder.exists() and not force and any(folder.iterdir()):
            raise ConfigError(
                str(folder),
                found="a folder that is not empty",
                expected="an empty or a new one",
                next_step="name another",
            )
        source = sample_logs.path(logs)
        folder.mkdir(parents=True, exist_ok=True)
        for part in (*TOURS[logs].parts, "README.md"):
            if (source / part).is_dir():
                shutil.copytree(source / part, folder / part, dirs_exist_ok=True)
            else:
                shutil.copyfile(source / part, folder / part)
    except OSError as error:
        raise SourceError(str(folder), found=error.strerror or str(error), expected="a folder to write to") from None


def _run(words: Sequence[str], options: Options) -> int:
    """One command in this process, through the same door as from a shell; silent when JSON was asked for."""
    import io
    from contextlib import redirect_stdout

    from recsysops.cli.boundary import guarded

    extra = [flag for flag, is_on in (("--no-color", options.no_color), ("--debug", options.debug)) if is_on]
    if not options.json:
        sys.stdout.flush()
        return guarded([*words, *extra])
    with redirect_stdout(io.StringIO()):
        return guarded([*words, *extra])


def _open_bandit(folder: Path, force: bool) -> list[list[str]]:
    here = ["--workspace", str(folder)]
    data = [str(folder / table) for table in TABLES]
    return [
        ["init", *data, *here, "--name", "open-bandit", *(["--force"] if force else [])],
        ["check", *here],
        ["detect", *here],
        ["compare", "--reference", "policy=random", "--current", "policy=bts", *here],
    ]


def _streaming(folder: Path, force: bool) -> list[list[str]]:
    here = ["--workspace", str(folder)]
    return [
        ["check", *here],
        ["detect", "--date", WRONG_SINCE, *here],
        ["diagnose", "incident", "1", *here],
        ["diagnose", "item", "123", *here],
    ]


def _real(here: str) -> str:
    return f"""
What you saw is real: 40,000 impressions of a fashion shop, origin and licence in {here}/README.md.
next   recsysops detect --workspace {here} --since 90d --verbose     every number, and the query behind it
       recsysops compare --workspace {here} --reference campaign=all --current campaign=men
       recsysops detectors list
       recsysops init YOUR-LOGS"""


def _simulated(here: str) -> str:
    return f"""
What you saw is simulated: sixty-two days of a streaming service. On {WRONG_SINCE} the language of item 123 was set wrongly
upstream. {here}/README.md tells what that cost, and what detect and diagnose see of it.
next   recsysops diagnose item 110 --workspace {here}            a rare title, rightly tagged
       recsysops detect --workspace {here} --date 2026-10-31     the last day
       recsysops detect --workspace {here}                       all days, oldest first; takes minutes
       recsysops detectors list"""


TOURS: Mapping[Logs, Tour] = {
    Logs.OPEN_BANDIT: Tour(TABLES, _open_bandit, _real),
    Logs.STREAMING: Tour(("recsysops.yaml", "logs", "models"), _streaming, _simulated),
}
