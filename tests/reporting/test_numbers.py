"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from recsysops.reporting.lines import NARROW
from recsysops.reporting.numbers import count, interval, number, of_statistic, percent, seconds


def plain(text: str) -> str:
    return text.replace(NARROW, " ")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.1142, "11.4 %"), (0.002, "0.2 %"), (0.00031, "0.031 %"), (0, "0 %"), (1, "100 %"), (-0.37, "−37 %"), (None, "–"), (math.nan, "–")],
)  # fmt: skip
def test_percent(share: float | None, text: str) -> None:
    assert plain(percent(share)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (12, "12"), (1234.5, "1,234"), (-5.0, "−5"), (math.inf, "∞"), (1e-9, "1e-09"), (None, "–")],
)
def test_number(value: float | None, text: str) -> None:
    assert plain(number(value)) == text


def test_units_follow_the_statistic() -> None:
    assert plain(of_statistic("null_rate", 0.5)) == "50 %"
    assert of_statistic("psi", 0.5) == "0.5"
    assert plain(interval(0.1, 0.2, "null_rate")) == "[10, 20 %]"
    assert interval(None, 0.2) == ""
    assert [plain(count(n, "day")) for n in (0, 1, 1200)] == ["0 days", "1 day", "1,200 days"]
    assert [plain(seconds(value)) for value in (1.23, 38.4, 600)] == ["1.2 s", "38 s", "10 min"]
