"""The options that every verb understands."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from recsysops.workspace import Workspace


@dataclass(frozen=True)
class Options:
    """Global options of one command."""

    path: Path | None = None
    env: str | None = None
    brand: str | None = None
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    debug: bool = False

    @property
    def command(self) -> str:
        """``recsysops`` with the options that name this workspace, for commands that can be pasted."""
        named = (("--workspace", self.path), ("--env", self.env), ("--brand", self.brand))
        words = [word for option, value in named if value is not None for word in (option, str(value))]
        return shlex.join(["recsysops", *words])

    def workspace(self) -> Workspace:
        """The workspace that was named, or the nearest one upward.

        Raises:
            ConfigError: when there is none, or its file cannot be used.
        """
        from recsysops.workspace import Workspace

        return Workspace(self.path, env=self.env, brand=self.brand)


def read_options(
    ctx: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace", "-w", help="Folder with recsysops.yaml; else the nearest one upward.", metavar="PATH"
        ),
    ] = None,
    env: Annotated[
        str | None, typer.Option("--env", help="Environment whose settings go on top.", metavar="NAME")
    ] = None,
    brand: Annotated[
        str | None, typer.Option("--brand", help="Brand whose settings go on top.", metavar="NAME")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout and nothing else.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="The first line of the answer only, no progress.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Everything that was found, weighed or skipped.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours; NO_COLOR does the same.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Tracebacks instead of one-line errors.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Operations for recommenders in production: detect, predict, diagnose, resolve."""
    ctx.obj = Options(workspace, env, brand, json, quiet, verbose, no_color, debug)


def options_of(ctx: typer.Context) -> Options:
    """The global options of the running command."""
    options = ctx.find_root().obj
    assert isinstance(options, Options)
    return options
