"""``recsysops check``."""

from __future__ import annotations

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines, screen_width


def run(ctx: typer.Context) -> int:
    """Is the workspace sound, and what would switch on more?"""
    from recsysops.reporting.check_view import check_lines

    options = options_of(ctx)
    report = options.workspace().check()
    if options.json:
        print_json({"schema_version": 1, **report.to_dict()})
    else:
        print_lines(check_lines(report, screen_width(), verbose=options.verbose, command=options.command), options)
    return 0 if report.is_usable else 2
