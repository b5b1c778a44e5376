"""``recsysops drill list|run``: which planted faults the checks find, and which they would miss."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsysops.cli.options import Options, options_of
from recsysops.cli.output import print_json, print_lines, screen_width, without_nan
from recsysops.cli.progress import progress_for

if TYPE_CHECKING:
    from recsysops.drills.planning import Request
    from recsysops.drills.scorecard.results import Card

CARD, OWN_CARD = "scorecard.json", "own-logs-scorecard.json"
app = typer.Typer(rich_markup_mode=None)


@app.command("list")
def list_(ctx: typer.Context) -> int:
    """List the faults: stage, cause, whether your own logs can have it."""
    from recsysops.drills.views.fault_list import fault_list_lines, listed_faults

    rows = listed_faults()
    options = options_of(ctx)
    if options.json:
        print_json({"schema_version": 1, "faults": [row.to_dict() for row in rows]})
    else:
        print_lines(fault_list_lines(rows, screen_width()), options)
    return 0


@app.command("run")
def run(
    ctx: typer.Context,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="Fault to plant; repeatable; else all.", metavar="NAME")
    ] = None,
    severity: Annotated[
        list[float] | None,
        typer.Option("--severity", help="Multiple of the fault's stated size; repeatable.", metavar="MULT"),
    ] = None,
    seeds: Annotated[int | None, typer.Option("--seeds", help="How many worlds; else 3.", metavar="N")] = None,
    own_logs: Annotated[bool, typer.Option("--own-logs", help="Plant in a copy of the workspace's logs.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="A small world, one seed, 4 times the size.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", help="Processes at a time.", metavar="N")] = 2,
    folder: Annotated[
        Path, typer.Option("--folder", help="What was done is kept here; go on from it.", metavar="DIR")
    ] = Path("recsysops-drill"),
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with the curves.", metavar="FILE")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write a document.", metavar="FILE")] = None,
) -> int:
    """Plant faults in a simulated service, or in your logs, and report what is found."""
    from recsysops.drills.planning import Request
    from recsysops.drills.views.screen import card_lines

    options = options_of(ctx)
    request = Request(tuple(fault or ()), tuple(severity or ()), seeds, quick, jobs).checked()
    card = _card(request, folder, options, is_own=own_logs)
    _keep(card, folder, html, markdown)
    if options.json:
        print_json(card.to_dict())
    else:
        print_lines(card_lines(card, screen_width(), verbose=options.verbose, command=options.command), options)
    return 6 if card.cannot_look else 0


def _card(request: Request, folder: Path, options: Options, *, is_own: bool) -> Card:
    from recsysops.drills.planning import drill_folder

    plan, progress = request.plan(), progress_for(options)
    if is_own:
        from recsysops.drills.own_logs.own_run import run_own_drill

        workspace = options.workspace()
        workspace.tables  # noqa: B018  (what cannot be opened is told before a folder is made)
        return run_own_drill(plan, workspace, drill_folder(folder), progress)
    from recsysops.drills.scorecard.run import run_drill

    return run_drill(plan, drill_folder(folder), progress)


def _keep(card: Card, folder: Path, html: Path | None, markdown: Path | None) -> None:
    """Write the card beside what the drill keeps, and the documents that were asked for; each whole."""
    import json

    from recsysops.drills.views.markdown import scorecard_markdown
    from recsysops.drills.views.page import card_page

    told = json.dumps(without_nan(card.to_dict()), ensure_ascii=False, allow_nan=False, indent=1)
    _write(folder / (OWN_CARD if card.is_own_logs else CARD), told + "\n")
    if html is not None:
        _write(html, card_page(card))
    if markdown is not None:
        _write(markdown, scorecard_markdown(card))


def _write(path: Path, text: str) -> None:
    from recsysops.tables.atomic import write_atomically

    write_atomically(path, lambda target: target.write_text(text, encoding="utf-8"))
