"""``recsysops replay``."""

from __future__ import annotations

from typing import Annotated

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines, screen_width


def run(
    ctx: typer.Context,
    day: Annotated[
        str | None, typer.Option("--day", help="Day of UTC; the newest if not given.", metavar="DAY")
    ] = None,
    requests: Annotated[
        int, typer.Option("--requests", min=0, help="How many, chosen by their hash; 0 for all.", metavar="N")
    ] = 200,
) -> int:
    """Score logged requests again; which stage differs first?

    Features are fetched again as of each request, scores come from the registered model, ranks from the scores; the
    first stage that differs is told. Exit code 1 when one does, 6 when a model could not be replayed.
    """
    from recsysops.reporting.replay_view import replay_lines

    options = options_of(ctx)
    report = options.workspace().replay(day, requests or None)
    if options.json:
        print_json(report.to_dict())
    else:
        print_lines(replay_lines(report, screen_width(), verbose=options.verbose, command=options.command), options)
    return report.exit_code
