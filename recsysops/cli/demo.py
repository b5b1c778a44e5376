"""``recsysops demo``: the whole way on real logs, with the commands that anybody can type again."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from recsysops.cli.options import Options, options_of
from recsysops.cli.output import print_json

SAMPLE = "open_bandit"
TABLES = ("candidates", "outcomes", "items")


def run(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to put it.", metavar="[FOLDER]")] = Path("recsysops-demo"),
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
) -> int:
    """Try it all on real logs that come with the program."""
    options = options_of(ctx)
    copy_sample(folder, force=force)
    codes = {}
    for words in commands(folder, force=force):
        shown = shlex.join(["recsysops", *words])
        if not options.json:
            print(f"\n$ {shown}", flush=True)
        codes[shown] = _run(words, options)
    if options.json:
        print_json({"schema_version": 1, "folder": str(folder), "commands": codes})
    else:
        print(_closing(folder))
    return 0 if all(code in {0, 1, 6} for code in codes.values()) else max(codes.values())


def commands(folder: Path, *, force: bool = False) -> list[list[str]]:
    """The words of each command of the demo, as a user would type them after ``recsysops``."""
    here = ["--workspace", str(folder)]
    data = [str(folder / table) for table in TABLES]
    return [
        ["init", *data, *here, "--name", "open-bandit", *(["--force"] if force else [])],
        ["check", *here],
        ["detect", *here],
        ["compare", "--reference", "policy=random", "--current", "policy=bts", *here],
    ]


def copy_sample(folder: Path, *, force: bool) -> None:
    """Copy the sample's tables into the folder; nothing that is there is deleted.

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
        source = sample_logs.path(SAMPLE)
        for table in TABLES:
            shutil.copytree(source / table, folder / table, dirs_exist_ok=True)
        shutil.copyfile(source / "README.md", folder / "README.md")
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


def _closing(folder: Path) -> str:
    here = shlex.quote(str(folder))
    return f"""
What you saw is real: 40,000 impressions of a fashion shop, origin and licence in {here}/README.md.
next   recsysops detect --workspace {here} --since 90d --verbose     every number, and the query behind it
       recsysops compare --workspace {here} --reference campaign=all --current campaign=men
       recsysops detectors list
       recsysops init YOUR-LOGS"""
