"""``recsysops show``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines, screen_width
from recsysops.cli.progress import progress_for


def run(
    ctx: typer.Context,
    measure: Annotated[
        str | None,
        typer.Argument(help="rows, missing_rate, mean, median, p95, distinct, …; or concern.NAME, check.NAME"),
    ] = None,
    column: Annotated[
        str | None, typer.Argument(help="Column or role; COLUMN=VALUE for one category, item or other key.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Slice, e.g. market.", metavar="SLICE")] = None,
    since: Annotated[str, typer.Option("--since", help="First day, or so many days back.", metavar="DAY|Nd")] = "14d",
    table: Annotated[
        str | None, typer.Option("--table", help="Table; else the first that has the column.", metavar="NAME")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page as well.", metavar="FILE")] = None,
    finding: Annotated[
        str | None, typer.Option("--finding", help="Print the arithmetic of this finding instead.", metavar="ID")
    ] = None,
) -> int:
    """How a measure moved, day by day, with its usual band.

    Measures: rows, missing_rate, null_rate, nan_rate, infinite_rate, invalid_rate, default_rate, new_rate, category_rate
    and exposure_share (of COLUMN=VALUE), distinct, mean, sd, least, greatest, median, p01 to p99.
    """
    from recsysops.errors import ConfigError
    from recsysops.looking.measure_names import NAMES
    from recsysops.reporting.show_view import show_lines

    options = options_of(ctx)
    if finding is not None:
        from recsysops.cli.detect import explained

        return explained(options, finding)
    if measure is None:
        raise ConfigError("show", found="no measure", expected=f"one of {', '.join(NAMES)}")
    report = options.workspace().show(measure, column, by, since, table=table, progress=progress_for(options))
    if html is not None:
        from recsysops.reporting.show_page import write_show_page

        write_show_page(report, html)
    if options.json:
        print_json(report.to_dict())
    else:
        print_lines(show_lines(report, screen_width(), verbose=options.verbose, command=options.command), options)
    return 0
