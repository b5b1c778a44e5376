"""The screen of ``recsysops show``: a row per slice, its sparkline, today beside its band."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.looking.show import Point, Series, ShowReport
from recsysops.reporting.lines import Column, Line, next_lines, table, wrapped
from recsysops.reporting.not_looked import span
from recsysops.reporting.numbers import count, number, percent
from recsysops.reporting.plain import literal
from recsysops.reporting.sparkline import sparkline

WIDEST_SPARK = 40


def show_lines(report: ShowReport, width: int, *, verbose: bool = False, command: str = "recsysops") -> Iterator[Line]:
    """Answer, a row per slice, the days with ``verbose``, what the band is, the query."""
    is_outside = any(one.points[-1].is_outside for one in report.series)
    yield from wrapped(answer(report), width, style="yellow" if is_outside else "bold")
    yield Line("")
    yield from _rows(report, width)
    if report.n_hidden:
        yield Line(f"  {report.n_hidden:,} more slices with fewer rows", "dim")
    yield Line("")
    yield from wrapped(band_words(report), width, style="dim")
    if verbose:
        for one in report.series:
            yield Line("")
            yield from _days(report, one, width)
    if report.query:
        yield Line("")
        yield Line("Query (DuckDB, on the table's own files)")
        yield Line("  " + literal(report.query), "dim")
    yield Line("")
    yield from next_lines([f"{command} {' '.join(_again(report))} {'--html show.html' if verbose else '--verbose'}"])


def answer(report: ShowReport, *, with_days: bool = True) -> str:
    """The first line: where the last day lies."""
    last = report.days[-1]
    outside = [one for one in report.series if one.points[-1].is_outside]
    days = f" · {span(report.days)} ({count(len(report.days), 'day')})" if with_days else ""
    if len(report.series) == 1:
        point = report.series[0].points[-1]
        place = "outside" if point.is_outside else "within"
        known = f", {place} its band {band_text(report, point)}" if point.low == point.low else ""
        return f"{literal(report.title)}: {value_text(report, point.value)} on {last}{known}{days}"
    told = ", ".join(literal(one.slice.value) for one in outside[:4]) + (" …" if len(outside) > 4 else "")
    n = count(len(report.series), "slice")
    found = f"{len(outside)} of {n} outside their band ({told})" if outside else f"all {n} within their bands"
    return f"{literal(report.title)} by {literal(report.by)}: on {last} {found}{days}"


def _rows(report: ShowReport, width: int) -> Iterator[Line]:
    room = max(8, min(WIDEST_SPARK, width - 60))
    lasts = [one.points[-1] for one in report.series]
    columns = (
        Column(literal(report.by) or "slice", tuple(_name(one) for one in report.series)),
        Column(span(report.days), tuple(_spark(one, room) for one in report.series)),
        Column(str(report.days[-1]), tuple(value_text(report, one.value) for one in lasts), is_number=True),
        Column("band", tuple(band_text(report, one) for one in lasts), drop=1, is_number=True),
        Column("", tuple("outside" if one.is_outside else "" for one in lasts)),
        Column("rows", tuple(f"{one.n:,}" for one in lasts), drop=3, is_number=True),
        Column("days outside", tuple(f"{one.n_outside}" for one in report.series), drop=2, is_number=True),
    )
    yield from table(columns, width)


def _name(one: Series) -> str:
    return literal(one.slice.value, 24) if one.slice.dimension else "all rows"


def _spark(one: Series, room: int) -> str:
    """Scaled so that the bands fit in: a healthy series stays in the middle instead of filling the height."""
    limits = [limit for point in one.points[-room:] for limit in (point.low, point.high)]
    return sparkline([point.value for point in one.points], room, limits)


def _days(report: ShowReport, one: Series, width: int) -> Iterator[Line]:
    yield Line(literal(one.slice) if one.slice.dimension else "all rows")
    yield from table(
        (
            Column("day", tuple(str(point.day) for point in one.points)),
            Column("value", tuple(value_text(report, point.value) for point in one.points), is_number=True),
            Column("expected", tuple(value_text(report, point.expected) for point in one.points), is_number=True),
            Column("band", tuple(band_text(report, point) for point in one.points), drop=1, is_number=True),
            Column("rows", tuple(f"{point.n:,}" for point in one.points), drop=2, is_number=True),
            Column("", tuple("outside" if point.is_outside else "" for point in one.points)),
        ),
        width,
    )


def value_text(report: ShowReport, value: float) -> str:
    """In the measure's own unit."""
    return percent(value) if report.shown.is_rate else number(value)


def band_text(report: ShowReport, point: Point) -> str:
    """``[10.9, 12.0 %]``, or a dash."""
    if point.low != point.low:
        return "–"
    low, high = value_text(report, point.low), value_text(report, point.high)
    return f"[{low.removesuffix('%').rstrip()}, {high}]"


def band_words(report: ShowReport) -> str:
    """What the band is."""
    days = f"the up to {report.n_reference_days} days before it, without those of incidents"
    if report.band == "range":
        return f"Band of a day: least and greatest of {days}; expected is their median. Days need not stay inside."
    return (
        f"Band of a day: where 95 of 100 healthy days would lie, from {days}; the statistics are those of the gates, "
        "the limits of detect are stricter."
    )


def _again(report: ShowReport) -> list[str]:
    import shlex

    shown = report.shown
    words = ["show", shown.name]
    words += [shown.column + (f"={shown.value}" if shown.value else "")] if shown.column else []
    words += ["--table", shown.table] if shown.declared is None else []
    words += ["--by", report.by] if report.by else []
    return [shlex.quote(word) for word in [*words, "--since", report.days[0].isoformat()]]
