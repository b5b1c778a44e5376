"""``recsysops diagnose``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsysops.cli.options import Options, options_of
from recsysops.cli.output import print_json, print_lines, screen_width
from recsysops.cli.progress import progress_for

if TYPE_CHECKING:
    from recsysops.cases.diagnosis import Diagnosis

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, add_completion=False)
Day = Annotated[
    str | None, typer.Option("--day", help="Last day looked at (UTC); the newest if not given.", metavar="DAY")
]
Days = Annotated[int, typer.Option("--days", min=1, max=90, help="How many days are diagnosed.", metavar="N")]
Peers = Annotated[int, typer.Option("--peers", min=5, max=1000, help="Comparable items at most.", metavar="N")]
Html = Annotated[Path | None, typer.Option("--html", help="Write a page with everything.", metavar="FILE")]


@app.command("item")
def item(
    ctx: typer.Context,
    item_id: Annotated[str, typer.Argument(help="Id of the item, as in the logs.", metavar="ITEM")],
    day: Day = None,
    days: Days = 7,
    peers: Peers = 200,
    html: Html = None,
) -> int:
    """Why does an item fare as it does?

    Its way from the catalogue to the screen, the facts about it, replayed scores and features, and what the model holds
    against it, beside its own past and comparable items. Exit code 1 when a fault is found, 6 when nothing can be concluded.
    """
    options = options_of(ctx)
    progress = progress_for(options)
    found = options.workspace().diagnose_item(item_id, day=day, n_days=days, n_peers=peers, progress=progress)
    return _told(found, options, html)


@app.command("incident")
def incident(
    ctx: typer.Context,
    number: Annotated[int, typer.Argument(help="Number of the incident.", metavar="NUMBER")],
    html: Html = None,
) -> int:
    """What caused an incident?

    Its findings are read as signs of causes by an explicit table, with what was recorded around its onset. Exit code 1
    when a fault is found, 6 when nothing can be concluded.
    """
    options = options_of(ctx)
    return _told(options.workspace().diagnose_incident(number, progress=progress_for(options)), options, html)


def _told(found: Diagnosis, options: Options, html: Path | None) -> int:
    from recsysops.reporting.diagnosis_view import diagnosis_lines

    if html is not None:
        from recsysops.reporting.diagnosis_page import write_diagnosis_page

        write_diagnosis_page(found, html)
    if options.json:
        print_json(found.to_dict())
    else:
        lines = diagnosis_lines(found, screen_width(), verbose=options.verbose, command=options.command)
        print_lines(lines, options)
    return found.exit_code
