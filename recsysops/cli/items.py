"""``recsysops items``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines, screen_width
from recsysops.cli.progress import progress_for

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, add_completion=False)


@app.callback()
def group() -> None:
    """How items fare: is it happening to mine?"""


@app.command()
def report(
    ctx: typer.Context,
    owner: Annotated[
        str | None, typer.Option("--owner", help="Only this owner's items, compared with everybody's.", metavar="TEAM")
    ] = None,
    since: Annotated[str, typer.Option("--since", help="First day, or so many days back.", metavar="DAY|Nd")] = "14d",
    html: Annotated[Path | None, typer.Option("--html", help="Write a page as well.", metavar="FILE")] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write every item as a row.", metavar="FILE")] = None,
) -> int:
    """Cold-start health, production bias, exposure and trend of every item, with intervals."""
    from recsysops.reporting.items_view import items_lines

    options = options_of(ctx)
    told = options.workspace().items_report(owner, since, progress=progress_for(options))
    if html is not None:
        from recsysops.reporting.items_page import write_items_page

        write_items_page(told, html)
    if csv is not None:
        from recsysops.reporting.items_page import write_items_csv

        write_items_csv(told, csv)
    if options.json:
        print_json(told.to_dict())
    else:
        print_lines(items_lines(told, screen_width(), verbose=options.verbose, command=options.command), options)
    return 0
