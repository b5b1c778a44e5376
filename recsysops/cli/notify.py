"""``recsysops notify test|send``: does a target work, and what waits is sent."""

from __future__ import annotations

from typing import Annotated

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines
from recsysops.cli.telling import place_of, say_problems

app = typer.Typer(rich_markup_mode=None)
FAILED = 6
"""Exit code when something did not arrive: something asked for could not be done."""


@app.command("test")
def try_(
    ctx: typer.Context,
    target: Annotated[
        str | None, typer.Option("--target", help="Only this one; else each of them.", metavar="NAME")
    ] = None,
) -> int:
    """Send a test notice to every target; pagers trigger an alert and resolve it."""
    from recsysops.notifications.trial import try_targets
    from recsysops.reporting.lines import Line

    options = options_of(ctx)
    place = place_of(options, options.workspace())
    answers = try_targets(place.settings, place.voice, target)
    n_failed = sum(answer is not None for answer in answers.values())
    if options.json:
        print_json({"schema_version": 1, "targets": answers})
    else:
        n_good = len(answers) - n_failed
        yes = f"{n_good} of {len(answers)} targets took a test notice"
        lines = [f"  {name}   {'arrived' if answer is None else answer}" for name, answer in answers.items()]
        print_lines([Line(yes), *map(Line, lines)], options)
    return FAILED if n_failed else 0


@app.command("send")
def send(ctx: typer.Context) -> int:
    """Send what waits and is due, and what people changed since."""
    from recsysops.incidents import detecting
    from recsysops.notifications.after_run import send_due
    from recsysops.reporting.lines import Line

    options = options_of(ctx)
    delivery = send_due(place_of(options, options.workspace()), detecting.utc_now())
    say_problems(delivery)
    if options.json:
        print_json({"schema_version": 1, **delivery.to_dict()})
    else:
        print_lines([Line(f"{delivery.n_sent} sent, {delivery.n_waiting} waiting")], options)
    return FAILED if delivery.problems else 0
