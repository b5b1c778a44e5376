"""``recsysops status``."""

from __future__ import annotations

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines, screen_width


def run(ctx: typer.Context) -> int:
    """Where things stand: data, runs, incidents, blind spots. Counts nothing."""
    from recsysops.reporting.status_view import status_lines

    options = options_of(ctx)
    status = options.workspace().status()
    if options.json:
        print_json(status.to_dict())
    else:
        print_lines(status_lines(status, screen_width(), verbose=options.verbose, command=options.command), options)
    return 0
