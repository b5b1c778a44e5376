"""A card as a document for the docs: what is found, what is missed, and the baselines beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from recsysops.drills.scorecard.results import Card, CurvePoint, FaultCurve
from recsysops.drills.views import words
from recsysops.drills.views.tally import (
    STATED,
    Tally,
    benign,
    by_stage,
    headline_multiples,
    missed,
    multiples,
    not_planted,
    planted,
    point_at,
    tally,
)
from recsysops.reporting.lines import NARROW
from recsysops.reporting.numbers import NOTHING, count, number, percent
from recsysops.reporting.plain import literal

_MARKUP = re.compile(r"([\\`*<>|#~]|(?<!\w)_|_(?!\w)|(?<=\])\()")
"""Brackets and underscores within words mean nothing by themselves, and stay readable."""


def scorecard_markdown(card: Card) -> str:
    """The whole document; it says nothing of the machine or the time, so the same card gives the same text."""
    tallies = tuple(tally(card, multiple) for multiple in headline_multiples(card))
    parts = [*_head(card, tallies), *_compared(card, tallies), *_missed(card, tallies)]
    parts += [*_curves(card), *_clean(card), *_not_tried(card)]
    return "\n\n".join(parts).replace(NARROW, " ") + "\n"


def _head(card: Card, tallies: Sequence[Tally]) -> Iterator[str]:
    yield "# Scorecard"
    found = [f"{words.of(one.n_found, one.n)} at {words.size_in_words(one.multiple)}" for one in tallies]
    answer = f"Faults found in time: {', '.join(found)}." if found else "No fault was planted."
    yield f"**{answer}** {count(card.n_trials, 'trial')} on the {_text(card.what)}; {words.alarms_title(card).lower()} {words.alarms(card)}{_then(words.incidents_each(card))}."
    yield f"{words.WHAT_A_DRILL_IS} [drills.md](drills.md) says how; `make drill` makes this page again."
    yield words.HOW_COUNTED
    yield words.INTERVALS


def _then(said: str) -> str:
    return f"; {said}" if said else ""


def _compared(card: Card, tallies: Sequence[Tally]) -> Iterator[str]:
    yield "## Beside what teams usually have"
    sizes = [f"found at {words.size(one.multiple)}" for one in tallies]
    alarms = "alarms per 30 clean days"
    yield _table(
        ["watching by", *sizes, "right cause first", alarms],
        [
            [
                "these checks",
                *(words.of(one.n_found, one.n) for one in tallies),
                *(words.of(one.n_named, one.n) for one in tallies[:1]),
                words.rate(card.clean.per_30_days),
            ],
            *(
                [
                    words.baseline_in_full(name),
                    *(words.found_by_baseline(one.n_by_baseline[name], one.n, clean) for one in tallies),
                    *(NOTHING for _ in tallies[:1]),
                    words.rate_of_baseline(clean),
                ]
                for name, clean in card.baselines.items()
            ),
        ]
        if tallies
        else [],
    )
    if words.too_short(card):
        yield words.too_short(card)


def _missed(card: Card, tallies: Sequence[Tally]) -> Iterator[str]:
    for one in tallies[:1]:
        curves = missed(card, one.multiple)
        yield f"## Missed at {words.size_in_words(one.multiple)}"
        if not curves:
            yield "None."
            continue
        pairs = [(curve, point) for curve in curves if (point := point_at(curve, one.multiple)) is not None]
        yield _table(
            ["fault", "what happens", "planted", "found", "smallest size found", "found by"],
            [
                [
                    curve.meta.name,
                    curve.meta.symptom,
                    words.severity(curve.meta, point.severity),
                    words.share(point.detected),
                    words.since_when(curve),
                    ", ".join(words.baselines_that_find(point)) or "no baseline either",
                ]
                for curve, point in pairs
            ],
        )


def _curves(card: Card) -> Iterator[str]:
    yield "## Every fault, every size"
    yield (
        "Share of trials found in time with its interval, by size. Runs: daily runs until it was found, median. "
        f"Cause: the first incident names stage and entity, at {words.size(_cause_multiple(card))}."
    )
    sizes = multiples(card)
    for stage, curves in by_stage([*planted(card), *benign(card)]).items():
        yield f"### {_text(stage)}"
        yield _table(
            ["fault", "target", "theory sees", *map(words.size, sizes), "runs", "cause", "baselines"],
            [_row(card, curve, sizes) for curve in curves],
        )


def _row(card: Card, curve: FaultCurve, sizes: Sequence[float]) -> list[str]:
    meta = curve.meta
    points = [point_at(curve, multiple) for multiple in sizes]
    at = point_at(curve, _cause_multiple(card))
    return [
        meta.name + ("" if meta.is_fault else " (a true change: no alarm is right)"),
        words.severity(meta, meta.target),
        words.amount(meta, curve.visible) if meta.is_graded else NOTHING,
        *(NOTHING if point is None else words.share(point.detected) for point in points),
        number(at.delay_runs) if at else NOTHING,
        percent(at.top1_rate) if at else NOTHING,
        (_by_baseline(at) if at else "") or NOTHING,
    ]


def _by_baseline(point: CurvePoint) -> str:
    return ", ".join(
        f"{words.baseline_name(name)}: {percent(found)}" for name, found in point.baselines.items() if found
    )


def _cause_multiple(card: Card) -> float:
    return next(iter(headline_multiples(card)), STATED)


def _clean(card: Card) -> Iterator[str]:
    yield f"## {words.told_title(card)}"
    yield f"{words.alarms(card)}."
    if card.clean.told:
        yield "\n".join(f"- {_text(text)}" for text in card.clean.told)


def _not_tried(card: Card) -> Iterator[str]:
    lines = [f"- not planted: {_text(words.why_not(curve))}" for curve in not_planted(card)]
    lines += [f"- could not look: {_text(text)}" for text in card.cannot_look]
    if lines:
        yield "## What was not tried"
        yield "\n".join(lines)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(map(_text, row)) for row in (titles, *rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], ["---"] * len(titles), *lines[1:]))


def _text(text: str) -> str:
    """Text from data, without a meaning in Markdown or HTML."""
    return _MARKUP.sub(r"\\\1", literal(text))
