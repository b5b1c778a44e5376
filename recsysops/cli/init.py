"""``recsysops init``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines, screen_width


def run(
    ctx: typer.Context,
    data: Annotated[list[str], typer.Argument(help="Files, folders or globs of logs.", metavar="DATA...")],
    name: Annotated[str | None, typer.Option("--name", help="Of the workspace; else the folder's.")] = None,
    timezone: Annotated[str, typer.Option("--timezone", help="Of timestamps that name none.", metavar="ZONE")] = "UTC",
    force: Annotated[bool, typer.Option("--force", help="Replace a recsysops.yaml that is there.")] = False,
) -> int:
    """Look at logs and write a commented recsysops.yaml."""
    from recsysops.inspection.infer import infer_workspace
    from recsysops.inspection.yaml_writer import save_workspace
    from recsysops.reporting.init_view import init_lines

    options = options_of(ctx)
    root = options.path or Path()
    inference = infer_workspace(data, root, name=name, timezone=timezone)
    path = save_workspace(inference, root, force=force)
    if options.json:
        print_json({"schema_version": 1, "path": str(path), **inference.to_dict()})
    else:
        print_lines(init_lines(inference, path, screen_width(), command=options.command), options)
    return 0
