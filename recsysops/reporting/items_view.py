"""The screen of ``recsysops items report``."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator

from recsysops.looking.age_cohorts import Place
from recsysops.looking.items import ItemHealth, ItemsReport
from recsysops.reporting.lines import Column, Line, next_lines, table, wrapped
from recsysops.reporting.not_looked import span
from recsysops.reporting.numbers import NOTHING, count, percent
from recsysops.reporting.plain import literal
from recsysops.reporting.sparkline import sparkline
from recsysops.statistics.estimate import Estimate

N_SHOWN = 15
N_NAMED = 3


def items_lines(
    report: ItemsReport, width: int, *, verbose: bool = False, command: str = "recsysops"
) -> Iterator[Line]:
    """Answer, a row per item (worst first), what the columns say, what could not be said, what to do next."""
    yield from wrapped(answer(report), width, style="yellow" if report.flagged else "green")
    yield from wrapped(f"{span(report.days)} ({count(len(report.days), 'day')})", width, style="dim")
    yield Line("")
    shown = report.items if verbose else report.items[: max(N_SHOWN, 0)]
    yield from _rows(shown, width)
    more = len(report.items) - len(shown)
    if more:
        yield Line(f"  {more:,} more (--verbose, --csv, --html)", "dim")
    yield Line("")
    yield from wrapped(words(report), width, style="dim")
    if report.missing:
        yield from wrapped("Not known: " + literal(" · ".join(report.missing)), width)
    yield Line("")
    yield from next_lines(_next(report, command))


def answer(report: ItemsReport) -> str:
    """The first line: is it happening to mine?"""
    whose = f" of {literal(report.owner)}" if report.owner else ""
    n = len(report.items)
    flagged = report.flagged
    if not n:
        return f"No item{whose} was launched or shown"
    if not flagged:
        return f"None of {count(n, 'item')}{whose} clearly fares unlike the others"
    named = "; ".join(f"{literal(one.item_id, 24)} {', '.join(one.flags)}" for one in flagged[:N_NAMED])
    more = f"; {len(flagged) - N_NAMED:,} more" if len(flagged) > N_NAMED else ""
    return f"{len(flagged):,} of {count(n, 'item')}{whose} clearly {'fares' if len(flagged) == 1 else 'fare'} unlike the others: {named}{more}"


def _rows(items: tuple[ItemHealth, ...], width: int) -> Iterator[Line]:
    yield from table(
        (
            Column("item", tuple(literal(one.item_id, 20) for one in items)),
            Column("owner", tuple(literal(one.owner, 12) or NOTHING for one in items), drop=5),
            Column("age", tuple(age_text(one) for one in items), is_number=True, drop=3),
            Column("exposure", tuple(estimate_text(one.share) for one in items), is_number=True),
            Column("by day", tuple(sparkline(one.series, 8) for one in items), drop=4),
            Column("place", tuple(place_text(one.exposure_place) for one in items), drop=1, is_number=True),
            Column("bias", tuple(ratio_text(one.bias) for one in items), drop=2, is_number=True),
            Column("", tuple(", ".join(one.flags) for one in items), is_last=True),
        ),
        width,
        indent=0,
    )


def age_text(one: ItemHealth) -> str:
    """Days since launch."""
    return NOTHING if one.age_days is None else f"{one.age_days} d"


def estimate_text(one: Estimate) -> str:
    """``1.2 % [1.1, 1.3]``."""
    if math.isnan(one.value):
        return NOTHING
    return f"{percent(one.value)} [{100 * one.low:.2g}, {100 * one.high:.2g}]"


def place_text(place: Place) -> str:
    """``12 % [3, 31]``: percentile among peers, and its interval."""
    if math.isnan(place.value):
        return NOTHING
    return f"{100 * place.value:.0f} % [{100 * place.low:.0f}, {100 * place.high:.0f}]"


def ratio_text(one: Estimate) -> str:
    """A logarithm of a ratio as the ratio: ``×0.5 [0.4, 0.7]``."""
    if math.isnan(one.value):
        return NOTHING
    value, low, high = (math.exp(limit) for limit in (one.value, one.low, one.high))
    return f"×{value:.2g} [{low:.2g}, {high:.2g}]"


def words(report: ItemsReport) -> str:
    """What the columns say."""
    play = literal(report.kind) or "play"
    return (
        "exposure: share of impressions, weighted to all traffic · place: percentile by exposure among items on "
        f"the same days after launch, for new items · bias: share of impressions over share of {play}s from search and outside, drawn to the other "
        "items · 95 % intervals; what is said of an item holds over its whole interval."
    )


def _next(report: ItemsReport, command: str) -> Iterator[str]:
    since = f"--since {report.days[0]}"
    if report.flagged:
        item = shlex.quote(f"item_id={report.flagged[0].item_id}")
        yield f"{command} show exposure_share {item} --table candidates {since}"
    owner = f" --owner {shlex.quote(report.owner)}" if report.owner else ""
    yield f"{command} items report{owner} {since} --html items.html"
