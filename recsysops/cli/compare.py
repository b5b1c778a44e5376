"""``recsysops compare``."""

from __future__ import annotations

from typing import Annotated

import typer

from recsysops.cli.detect import Fail, Only, Skip
from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines, screen_width
from recsysops.cli.progress import progress_for


def run(
    ctx: typer.Context,
    reference: Annotated[
        str,
        typer.Option(
            "--reference", help="Rows of the reference cohort; more conditions by commas.", metavar="COLUMN=VALUE"
        ),
    ],
    current: Annotated[
        str, typer.Option("--current", help="Rows of the cohort that is judged.", metavar="COLUMN=VALUE")
    ],
    only: Only = None,
    skip: Skip = None,
    fail_on: Fail = None,
) -> int:
    """Judge one cohort against another: models, policies."""
    from recsysops.reporting.compare_view import compare_lines

    options = options_of(ctx)
    report = options.workspace().compare(
        reference,
        current,
        only=only or (),
        skip=skip or (),
        fail_on=fail_on.value if fail_on else None,
        progress=progress_for(options),
    )
    if options.json:
        print_json(report.to_dict())
    else:
        print_lines(compare_lines(report, screen_width(), verbose=options.verbose, command=options.command), options)
    return report.exit_code
