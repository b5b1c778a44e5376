"""The screen of ``recsysops drill run``."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from recsysops.drills.scorecard.results import Card, FaultCurve
from recsysops.drills.views import words
from recsysops.drills.views.curve_lines import curve_lines
from recsysops.drills.views.tally import (
    Tally,
    benign,
    headline_multiples,
    is_found,
    missed,
    not_planted,
    planted,
    point_at,
    tally,
)
from recsysops.reporting.lines import Column, Line, Style, next_lines, table, wrapped
from recsysops.reporting.numbers import NOTHING, count, seconds
from recsysops.reporting.plain import literal

N_MISSED = 10
N_REASONS = 3


def card_lines(card: Card, width: int, *, verbose: bool = False, command: str = "recsysops") -> Iterator[Line]:
    """Answer, us beside the baselines, what was missed, what could not be looked at, what to do next.

    Args:
        card: what the drill measured.
        width: cells of a line.
        verbose: every curve, every alarm and every reason.
        command: ``recsysops`` with the options that name the workspace.
    """
    tallies = tuple(tally(card, multiple) for multiple in headline_multiples(card))
    yield from wrapped(_answer(card, tallies), width, style=_style(tallies))
    yield Line("")
    yield from _compared(card, tallies, width)
    if words.too_short(card):
        yield from wrapped(words.too_short(card), width)
    yield from wrapped(f"{words.alarms_title(card)}: {words.alarms(card)}", width)
    if words.incidents_each(card):
        yield from wrapped(f"{words.incidents_each(card)}.", width)
    yield from _missed(card, tallies, width, verbose=verbose)
    yield from _benign(card, width)
    if verbose:
        yield from curve_lines(card, width)
        yield from _told(card, width)
    yield from _could_not(card, width, verbose=verbose)
    yield Line("")
    yield from wrapped(words.HOW_COUNTED, width, style="dim")
    yield Line("")
    yield from next_lines(_next(card, tallies, command))


def _answer(card: Card, tallies: tuple[Tally, ...]) -> str:
    where = f"{literal(card.what, 60)} · {count(card.n_trials, 'trial')} · {seconds(card.seconds)}"
    if not tallies:
        return f"No fault was planted · {where}"
    first = tallies[0]
    return (
        f"Found in time: {words.of(first.n_found, first.n)} faults at {words.size_in_words(first.multiple)} · {where}"
    )


def _style(tallies: tuple[Tally, ...]) -> Style:
    return "green" if tallies and all(one.n_found == one.n for one in tallies[:1]) else "bold"


def _compared(card: Card, tallies: tuple[Tally, ...], width: int) -> Iterator[Line]:
    """The checks and the baselines, one line each."""
    names = list(card.baselines)
    found = [
        [
            words.of(one.n_found, one.n),
            *(words.found_by_baseline(one.n_by_baseline[name], one.n, days) for name, days in card.baselines.items()),
        ]
        for one in tallies
    ]
    columns = [
        Column(
            f"found at {words.size(one.multiple)}",
            tuple(row),
            drop=3 * (one is not tallies[0]),
            is_number=True,
        )
        for one, row in zip(tallies, found, strict=True)
    ]
    named = tuple(words.of(one.n_named, one.n) for one in tallies[:1])
    if named:
        columns.append(Column("right cause", (*named, *(NOTHING for _ in names)), drop=2, is_number=True))
    rates = (words.rate(card.clean.per_30_days), *map(words.rate_of_baseline, card.baselines.values()))
    names = [literal(words.baseline_name(name), 24) for name in names]
    yield from table(
        (
            Column("", ("these checks", *names)),
            *columns,
            Column("alarms per 30 days", rates, drop=1 if columns else 0, is_number=True),
        ),
        width,
    )


def _missed(card: Card, tallies: tuple[Tally, ...], width: int, *, verbose: bool) -> Iterator[Line]:
    if not tallies:
        return
    multiple = tallies[0].multiple
    curves = missed(card, multiple)
    if not curves:
        return
    shown = curves if verbose else curves[:N_MISSED]
    yield Line("")
    yield Line(f"Missed at {words.size_in_words(multiple)}")
    points = [point for curve in shown if (point := point_at(curve, multiple)) is not None]
    pairs = list(zip(shown, points, strict=True))
    yield from table(
        (
            Column("fault", tuple(literal(curve.meta.name, 28) for curve in shown)),
            Column("found", tuple(map(words.trials, points)), is_number=True, drop=2),
            Column("smallest found", tuple(map(words.since_when, shown))),
            Column(
                "found by", tuple(", ".join(words.baselines_that_find(point)) or NOTHING for point in points), drop=3
            ),
            Column(
                "planted",
                tuple(words.severity(curve.meta, point.severity) for curve, point in pairs),
                drop=1,
                is_last=True,
            ),
        ),
        width,
    )
    if len(curves) > len(shown):
        names = ", ".join(literal(curve.meta.name, 28) for curve in curves[len(shown) :])
        yield from wrapped(f"and {len(curves) - len(shown)} more (--verbose): {names}", width, indent=2)


def _benign(card: Card, width: int) -> Iterator[Line]:
    curves = benign(card)
    if curves:
        n_woken = sum(any(is_found(point) for point in curve.points) for curve in curves)
        names = ", ".join(literal(curve.meta.name, 24) for curve in curves)
        yield from wrapped(f"True changes, no faults: an alarm for {words.of(n_woken, len(curves))} ({names})", width)


def _told(card: Card, width: int) -> Iterator[Line]:
    if card.clean.told:
        yield Line("")
        yield Line(words.told_title(card))
        for text in card.clean.told:
            yield from wrapped(literal(text, 2 * width), width, indent=2)


def _could_not(card: Card, width: int, *, verbose: bool) -> Iterator[Line]:
    for title, reasons in (("Could not plant", _reasons(card)), ("Could not look", card.cannot_look)):
        shown = [literal(reason) for reason in (reasons if verbose else reasons[:N_REASONS])]
        if not shown:
            continue
        if len(reasons) > len(shown):
            shown.append(f"{len(reasons) - len(shown)} more (--verbose)")
        yield Line("")
        yield from wrapped(f"{title}: " + " · ".join(shown), width)


def _reasons(card: Card) -> tuple[str, ...]:
    return tuple(map(words.why_not, not_planted(card)))


def _next(card: Card, tallies: tuple[Tally, ...], command: str) -> Iterator[str]:
    curves: tuple[FaultCurve, ...] = missed(card, tallies[0].multiple) if tallies else ()
    chosen = curves or planted(card)
    if chosen:
        own = " --own-logs" if card.is_own_logs else ""
        yield f"{command} drill run{own} --fault {shlex.quote(literal(chosen[0].meta.name))} --html drill.html"
    yield f"{command} drill list"
