"""``recsysops change record``: what happened to the system, told by any CI."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines

app = typer.Typer(rich_markup_mode=None)


@app.callback()
def _change() -> None:
    """Keeps ``record`` a word of its own while it is the only one."""


@app.command("record")
def record(
    ctx: typer.Context,
    kind: Annotated[str, typer.Option("--kind", help="deploy, config, schema, launch, experiment …", metavar="KIND")],
    scope: Annotated[
        str, typer.Option("--scope", help="What it touched, e.g. candidates.score.", metavar="SCOPE")
    ] = "",
    rollout: Annotated[
        float | None, typer.Option("--rollout", help="Share of traffic it reached, from 0 to 1.", metavar="SHARE")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="When it took effect; now if not given.", metavar="ISO")
    ] = None,
    description: Annotated[str, typer.Option("--description", help="For people.", metavar="TEXT")] = "",
) -> int:
    """Add a change event to the workspace."""
    from recsysops.reporting.record_view import change_lines

    options = options_of(ctx)
    change = options.workspace().record_change(kind, scope, rollout=rollout, at=_moment(at), description=description)
    if options.json:
        print_json({"schema_version": 1, "change": change.to_dict()})
    else:
        print_lines(change_lines(change), options)
    return 0


def _moment(text: str | None) -> datetime | None:
    from recsysops.errors import ConfigError

    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError("--at", found=repr(text), expected="a time such as 2026-11-20T04:10:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
