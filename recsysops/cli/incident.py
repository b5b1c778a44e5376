"""``recsysops incident list|show|ack|mark|handoff|resolve|reopen|merge|mute|retro``: work on incidents."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recsysops.cli.options import Options, options_of
from recsysops.cli.output import print_json, print_lines, print_text, screen_width

if TYPE_CHECKING:
    from recsysops.incidents.desk import Desk
    from recsysops.incidents.desk_values import IncidentCard

app = typer.Typer(rich_markup_mode=None)
Number = Annotated[str, typer.Argument(help="Number of the incident, e.g. 41 or '#41'.", metavar="NUMBER")]
Note = Annotated[str, typer.Option("--note", help="Why; kept on the trail.", metavar="TEXT")]
By = Annotated[str, typer.Option("--by", help="Who acts; else RECSYSOPS_USER, else the login's name.", metavar="NAME")]


class As(StrEnum):
    """What a closed incident was."""

    FIXED = "fixed"
    EXPECTED = "expected"
    FALSE_ALARM = "false-alarm"


class Stage(StrEnum):
    """What can be marked by hand."""

    DIAGNOSED = "diagnosed"
    MITIGATED = "mitigated"


@app.command("list")
def list_(
    ctx: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Closed, merged and withdrawn ones too.")] = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="How long they took from onset, with intervals (MTTD … MTTR).")
    ] = False,
) -> int:
    """List the incidents that are open, worst first."""
    from recsysops.reporting.incident_list_view import incident_list_lines

    options = options_of(ctx)
    found = options.workspace().desk().incidents(everything=everything, summary=summary)
    if options.json:
        print_json(found.to_dict())
    else:
        print_lines(incident_list_lines(found, screen_width(), command=options.command), options)
    return 0


@app.command("show")
def show(ctx: typer.Context, number: Number) -> int:
    """Show one: what was found, since when, what was done to it, which hours went where."""
    return _card(options_of(ctx), _desk(ctx).show(_number(number)))


@app.command("ack")
def ack(ctx: typer.Context, number: Number, note: Note = "", by: By = "") -> int:
    """Take an incident on."""
    return _card(options_of(ctx), _desk(ctx, by).acknowledge(_number(number), note))


@app.command("mark")
def mark(
    ctx: typer.Context,
    number: Number,
    stage: Annotated[Stage, typer.Argument(help="diagnosed: the cause is known; mitigated: no more harm.")],
    note: Note = "",
    by: By = "",
) -> int:
    """Note that its cause is known, or that it does no more harm."""
    desk = _desk(ctx, by)
    act = desk.mark_diagnosed if stage is Stage.DIAGNOSED else desk.mark_mitigated
    return _card(options_of(ctx), act(_number(number), note))


@app.command("handoff")
def handoff(
    ctx: typer.Context,
    number: Number,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write all affected items here.", metavar="FILE")] = None,
    to: Annotated[str, typer.Option("--to", help="Whom it goes to; else the owner in the settings.")] = "",
    by: By = "",
) -> int:
    """Print a ticket for the owner of the table or column, as Markdown. Nothing about members is in it."""
    from recsysops.reporting.incident_ticket import ticket_markdown
    from recsysops.tables.atomic import write_atomically

    options = options_of(ctx)
    ticket = _desk(ctx, by).handoff(_number(number), to)
    if csv is not None:
        write_atomically(csv, lambda temporary: temporary.write_text(ticket.affected.to_csv(), encoding="utf-8"))
    if options.json:
        print_json(ticket.to_dict())
    else:
        print_text(ticket_markdown(ticket, str(csv.name) if csv else ""))
    return 0


@app.command("resolve")
def resolve(
    ctx: typer.Context,
    numbers: Annotated[list[str], typer.Argument(help="Numbers of the incidents.", metavar="NUMBER...")],
    as_: Annotated[
        As,
        typer.Option(
            "--as", help="fixed: it was real; expected: normal from --from on; false-alarm: nothing was wrong."
        ),
    ],
    from_: Annotated[
        str | None,
        typer.Option("--from", help="With expected: the new normal's first day; else the onset.", metavar="DAY"),
    ] = None,
    note: Note = "",
    by: By = "",
) -> int:
    """Close incidents, and say what they were."""
    from recsysops.incidents.day_words import parse_day

    from_day = parse_day(from_, "--from") if from_ is not None else None
    options, desk = options_of(ctx), _desk(ctx, by)
    cards = [desk.resolve(one, as_.value, from_day=from_day, note=note) for one in dict.fromkeys(map(_number, numbers))]
    if len(cards) == 1:
        return _card(options, cards[0])
    if options.json:
        print_json({"schema_version": 1, "incidents": [card.to_dict() for card in cards]})
    else:
        print_text("\n".join(f"#{card.incident.id}: {card.did}" for card in cards))
    return 0


@app.command("reopen")
def reopen(ctx: typer.Context, number: Number, note: Note = "", by: By = "") -> int:
    """Take back that an incident is over, and what it was closed as."""
    return _card(options_of(ctx), _desk(ctx, by).reopen(_number(number), note))


@app.command("merge")
def merge(
    ctx: typer.Context,
    number: Number,
    into: Annotated[str, typer.Option("--into", help="The incident that takes it in.", metavar="NUMBER")],
    by: By = "",
) -> int:
    """Make an incident part of another that has the same cause."""
    return _card(options_of(ctx), _desk(ctx, by).merge(_number(number), _number(into)))


@app.command("mute")
def mute(
    ctx: typer.Context,
    number: Number,
    for_: Annotated[str | None, typer.Option("--for", help="How long: 12h or 7d.", metavar="Nh|Nd")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Until the end of this day, UTC.", metavar="DAY")] = None,
    off: Annotated[bool, typer.Option("--off", help="End a mute now.")] = False,
    note: Note = "",
    by: By = "",
) -> int:
    """Tell nobody of an incident for a while; it is recorded all the same, and the mute ends by itself."""
    from recsysops.incidents.day_words import parse_mute

    moment = parse_mute(for_, until, is_off=off)
    return _card(options_of(ctx), _desk(ctx, by).mute(_number(number), moment, note))


@app.command("retro")
def retro(ctx: typer.Context, number: Number, note: Note = "", by: By = "") -> int:
    """Look back: when could it have been found, at what price, which hours went where; write it as a standing check."""
    from recsysops.reporting.incident_retro_view import retro_lines

    options = options_of(ctx)
    found = _desk(ctx, by).retro(_number(number), note)
    if options.json:
        print_json(found.to_dict())
    else:
        print_lines(retro_lines(found, screen_width(), command=options.command), options)
    return 0


def _desk(ctx: typer.Context, by: str = "") -> Desk:
    return options_of(ctx).workspace().desk(by)


def _card(options: Options, card: IncidentCard) -> int:
    from recsysops.reporting.incident_view import incident_card_lines

    if options.json:
        print_json(card.to_dict())
    else:
        lines = incident_card_lines(card, screen_width(), verbose=options.verbose, command=options.command)
        print_lines(lines, options)
    return 0


def _number(text: str) -> int:
    from recsysops.errors import ConfigError

    digits = text.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise ConfigError("incident", found=repr(text), expected="a number such as 41")
    return int(digits)
