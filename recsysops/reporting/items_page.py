"""The page and the CSV file of ``recsysops items report``."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from recsysops.looking.items import ItemHealth, ItemsReport, flat
from recsysops.reporting.items_view import age_text, answer, estimate_text, place_text, ratio_text, words
from recsysops.reporting.not_looked import span
from recsysops.reporting.numbers import percent
from recsysops.reporting.templated import page, write_page

SPARK_WIDTH, SPARK_HEIGHT = 120, 22
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take text for a formula."""


def items_page(report: ItemsReport) -> str:
    """The whole page as text."""
    rows = [
        {
            "one": one,
            "age": age_text(one),
            "share": estimate_text(one.share),
            "trend": ratio_text(one.trend),
            "play_rate": estimate_text(one.play_rate),
            "place": place_text(one.exposure_place),
            "peers": one.exposure_place.n_peers,
            "of_median": percent(one.exposure_place.of_median[0]),
            "play_place": place_text(one.play_place),
            "bias": ratio_text(one.bias),
            "runs": _spark(one),
            "alt": _alt(one),
        }
        for one in report.items
    ]
    values = {
        "report": report,
        "answer": answer(report),
        "words": words(report),
        "days": span(report.days),
        "rows": rows,
    }
    return page("items.html", {**values, "width": SPARK_WIDTH, "height": SPARK_HEIGHT})


def write_items_page(report: ItemsReport, path: Path) -> None:
    """Write the page, whole or not at all."""
    write_page(items_page(report), path)


def write_items_csv(report: ItemsReport, path: Path) -> None:
    """Write one row per item, whole or not at all; unknown numbers are empty, text is never a formula."""
    rows = [{key: _cell(value) for key, value in flat(one).items()} for one in report.items]
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]) if rows else ["item_id"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_page(file.getvalue(), path)


def _cell(value: object) -> object:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _spark(one: ItemHealth) -> list[str]:
    """Polylines of the unbroken runs of days, 0 at the foot."""
    known = [value for value in one.series if math.isfinite(value)]
    top = max(known, default=0.0) or 1.0
    step = (SPARK_WIDTH - 4) / max(1, len(one.series) - 1)
    runs: list[list[str]] = [[]]
    for number, value in enumerate(one.series):
        if math.isfinite(value):
            y = SPARK_HEIGHT - 3 - (SPARK_HEIGHT - 6) * value / top
            runs[-1].append(f"{2 + step * number:.1f},{y:.1f}")
        elif runs[-1]:
            runs.append([])
    return [" ".join(run) for run in runs if run]


def _alt(one: ItemHealth) -> str:
    known = [value for value in one.series if math.isfinite(value)]
    if not known:
        return "no impressions"
    return f"share of impressions by day, from {100 * known[0]:.2g} % to {100 * known[-1]:.2g} %, at most {100 * max(known):.2g} %"
