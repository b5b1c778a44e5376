"""``concerns:`` and ``checks:``: what stakeholders watch, said without code."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from recsysops.config.section import Settings

NAME = r"[a-z][a-z0-9_]{0,62}"
FORMS = ("metric", "share", "mean", "total", "numerator")
EXPECTATIONS = ("between", "at_least", "at_most", "no_change_beyond", "unchanged")
Sql = Annotated[str, Field(min_length=1, max_length=2000)]


class DeclaredSettings(Settings):
    """One number and what is expected of it: exactly one form, exactly one expectation."""

    table: str = Field("candidates", description="whose rows the expressions are about")
    metric: str | None = Field(None, description="a metric of system.metric_forecast, such as n_requests or mean_score")
    share: Sql | None = Field(None, description="SQL, true or false of a row: the share of rows in which it is true")
    mean: Sql | None = Field(None, description="SQL, a number of a row: its mean")
    total: Sql | None = Field(None, description="SQL, a number of a row: its sum over the day")
    numerator: Sql | None = Field(None, description="SQL, a number of a row: its sum over that of denominator")
    denominator: Sql | None = Field(None, description="SQL, a number of a row")
    where: Sql | None = Field(None, description="SQL, true of the rows that count")
    per: list[str] | Literal["item"] = Field(
        default_factory=list, description="slice dimensions, each value judged by itself; or item, each item"
    )
    between: tuple[float, float] | None = None
    at_least: float | None = None
    at_most: float | None = None
    no_change_beyond: Annotated[float, Field(gt=0)] | None = Field(None, description="relative: 0.1 is 10 %")
    unchanged: Literal[True] | None = None
    min_rows: Annotated[int, Field(ge=1)] = Field(30, description="rows of a day below which nothing is judged")
    severity: Literal["critical", "warning", "info"] = "warning"
    owner: str | None = None
    description: str = ""

    @model_validator(mode="after")
    def _is_one_number(self) -> Self:
        self._exactly_one(FORMS)
        self._exactly_one(EXPECTATIONS)
        if (self.numerator is None) != (self.denominator is None):
            raise ValueError("numerator and denominator together")
        if self.metric is not None and (self.where is not None or self.per == "item"):
            raise ValueError("metric without where and without per: item, which need an expression")
        if self.between is not None and not self.between[0] <= self.between[1]:
            raise ValueError("between with the smaller number first")
        return self

    def _exactly_one(self, names: tuple[str, ...]) -> None:
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of {', '.join(names)}; found {', '.join(given) or 'none'}")


def _name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise ValueError("a name of lower-case letters, digits and _, at most 63")
    return name


Declared = dict[Annotated[str, AfterValidator(_name)], DeclaredSettings]


class DeclaredFile(Settings):
    """A file of ``concerns/``."""

    concerns: Declared = Field(default_factory=dict)
    checks: Declared = Field(default_factory=dict)

    def names(self) -> list[tuple[str, str]]:
        """(section, name) of everything declared."""
        return [(section, name) for section in ("concerns", "checks") for name in getattr(self, section)]
