"""``recsysops peers``."""

from __future__ import annotations

from typing import Annotated

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines, screen_width


def run(
    ctx: typer.Context,
    item: Annotated[str, typer.Argument(help="Id of the item, as in the logs.", metavar="ITEM")],
    day: Annotated[
        str | None,
        typer.Option("--day", help="As known at the end of this day; the newest if not given.", metavar="DAY"),
    ] = None,
    n: Annotated[int, typer.Option("--n", min=1, max=10_000, help="How many peers at most.", metavar="N")] = 50,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", help="Attribute not to compare by; repeatable.", metavar="COLUMN"),
    ] = None,
) -> int:
    """Which items can an item be compared with?"""
    from recsysops.reporting.peers_view import peers_lines

    options = options_of(ctx)
    report = options.workspace().peers(item, day, n, without=without or ())
    if options.json:
        print_json(report.to_dict())
    else:
        print_lines(peers_lines(report, screen_width(), verbose=options.verbose, command=options.command), options)
    return 0
