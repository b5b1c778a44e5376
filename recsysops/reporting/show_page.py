"""The page of ``recsysops show --html``."""

from __future__ import annotations

from pathlib import Path

from recsysops.looking.show import ShowReport
from recsysops.reporting.not_looked import span
from recsysops.reporting.plain import literal
from recsysops.reporting.series_plot import series_plot
from recsysops.reporting.show_view import answer, band_text, band_words, value_text
from recsysops.reporting.templated import page, write_page


def show_page(report: ShowReport) -> str:
    """The whole page as text."""
    names = [literal(one.slice.value, 60) if one.slice.dimension else "all rows" for one in report.series]

    def words(value: float) -> str:
        return value_text(report, value)

    return page(
        "show.html",
        {
            "report": report,
            "answer": answer(report, with_days=False),
            "days": span(report.days),
            "band_words": band_words(report),
            "plots": [series_plot(name, one.points, words) for name, one in zip(names, report.series, strict=True)],
            "rows": [
                {
                    "name": name,
                    "day": point.day,
                    "value": words(point.value),
                    "expected": words(point.expected),
                    "band": band_text(report, point),
                    "n": f"{point.n:,}",
                    "is_outside": point.is_outside,
                }
                for name, one in zip(names, report.series, strict=True)
                for point in reversed(one.points)
            ],
        },
    )


def write_show_page(report: ShowReport, path: Path) -> None:
    """Write the page, whole or not at all."""
    write_page(show_page(report), path)
