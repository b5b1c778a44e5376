"""``recsysops detectors list|show``: what can be detected, without loading any of it."""

from __future__ import annotations

from typing import Annotated

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines, screen_width

app = typer.Typer(rich_markup_mode=None)


@app.command("list")
def list_(ctx: typer.Context) -> int:
    """List the detectors: name, code, severity and what each says; in a workspace its own rules too."""
    from recsysops.config.own_rules import rules_near
    from recsysops.reporting.shelf import listed, listed_lines

    options = options_of(ctx)
    rows = listed("detectors", rules_near(options.path, env=options.env, brand=options.brand))
    if options.json:
        print_json({"schema_version": 1, "detectors": [row.to_dict() for row in rows]})
    else:
        print_lines(listed_lines("detectors", rows, screen_width()), options)
    return 0


@app.command("show")
def show(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Dotted name, e.g. input.missing_rate.", metavar="NAME")],
) -> int:
    """Show one detector: what it says, its parameters and what it needs; of a workspace's own rule what it states."""
    from recsysops.config.own_rules import is_own, rules_near
    from recsysops.reporting.shelf import described, described_lines

    options = options_of(ctx)
    own = rules_near(options.path, env=options.env, brand=options.brand) if is_own(name) else ()
    card = described(name, own)
    if options.json:
        print_json({"schema_version": 1, **card.to_dict()})
    else:
        print_lines(described_lines(card, screen_width()), options)
    return 0
