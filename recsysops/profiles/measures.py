"""What can be counted: eight kinds of measure, as plain values.

A detector asks for measures; the engine counts each distinct one once per source partition. Columns are named as in
the user's logs. Every count is kept per event day (and hour where asked), for all rows together and for each value of
each slice dimension, and in 32 request-hash buckets wherever noise has to be judged.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal

N_BUCKETS = 32
"""Request-hash buckets: the clusters that permutation tests and jackknives resample."""

Form = Literal["rows", "histogram", "frequencies", "moments"]
Counter = Literal["rows", "requests", "impressions", "exposure"]
ExpressionForm = Literal["share", "mean", "total", "ratio"]
Predicate = Literal["duplicate_key", "invalid_number", "constant_number", "any_row"]


@dataclass(frozen=True)
class Cells:
    """Rows per cell of a column.

    ``rows`` counts rows alone (no column). ``histogram`` counts a numeric column into NULL, NaN, -inf, +inf,
    defaulted and right-closed bins on frozen edges. ``frequencies`` counts a categorical (or boolean) column into NULL,
    defaulted, new (unseen in the reference), other (seen, not among the top) and the top categories; with ``pair`` the
    categories are pairs of two columns. ``moments`` keeps count, sum, sum of squares, least and greatest value.
    """

    kind: ClassVar[str] = "cells"
    table: str
    column: str = ""
    form: Form = "rows"
    pair: str = ""
    by_hour: bool = False


@dataclass(frozen=True)
class Keyed:
    """Counters per key (an item, a member segment): the top keys and one tail, plus the number of distinct keys.

    ``exposure`` is the sum of 1 / log2(1 + position) over impressions. ``sums`` are numeric columns to add up, after the
    counters; NULL and NaN add nothing, and every value is rounded to a millionth, so that sums do not depend on order.
    """

    kind: ClassVar[str] = "keyed"
    table: str
    key: str
    counters: tuple[Counter, ...] = ("rows",)
    top_k: int = 1000
    sums: tuple[str, ...] = ()

    @property
    def totals(self) -> tuple[str, ...]:
        """Names of the counter axis: the counters, then ``sum of COLUMN`` for each sum."""
        return (*self.counters, *(f"sum of {name}" for name in self.sums))


@dataclass(frozen=True)
class PerRequest:
    """A predicate of a whole request, evaluated on all rows: how many requests, how many fail it, and the rows of both.

    ``duplicate_key``: two rows of the request agree on ``columns``. ``invalid_number``: the column is NULL, NaN or
    infinite in some row. ``constant_number``: the column has one value over the request's rows, of which there are at
    least two. ``any_row``: the boolean column is true in some row. In tables without requests each key is its own request.
    """

    kind: ClassVar[str] = "per_request"
    table: str
    predicate: Predicate
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Cohort:
    """Outcomes by the day of the request they followed and their age in days, joined to candidates within the label window.

    Counted in the table of outcomes, when they arrive; unmatched outcomes are counted apart.
    """

    kind: ClassVar[str] = "cohort"
    table: str = "outcomes"
    lookup: str = "candidates"
    outcome_kind: str = ""
    """Only this kind of outcome ("" = all)."""


@dataclass(frozen=True)
class KeyedSample:
    """The k requests with the smallest hash, with the values of some columns: the same requests everywhere and every day."""

    kind: ClassVar[str] = "keyed_sample"
    table: str
    columns: tuple[str, ...]
    k: int = 4096


@dataclass(frozen=True)
class Clusters:
    """Distinct clusters (members) by category of a column, in buckets of the cluster's hash.

    Rows without a cluster or a category are left out. A cluster counts once per partition, day and category: where a
    day's members are spread over partitions it counts in each, in the same bucket, so noise between buckets stays true.
    """

    kind: ClassVar[str] = "clusters"
    table: str
    cluster: str
    column: str


@dataclass(frozen=True)
class Expression:
    """Sums of a SQL expression over rows: what adds up over partitions, and nothing else.

    ``share``: rows in which the boolean ``numerator`` is true, over those in which it is not NULL. ``mean``: its sum over its
    count. ``total``: its sum. ``ratio``: its sum over that of ``denominator``. Only rows in which ``where`` is true, if
    given. ``columns`` are all columns named. By slice; or, with ``per``, by the values of that column (the thousand with
    the most rows in a partition). Distinct counts, medians and extremes do not add up and are no forms.
    """

    kind: ClassVar[str] = "expression"
    table: str
    form: ExpressionForm
    numerator: str
    denominator: str = ""
    where: str = ""
    per: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What is known of each partition besides counts: rows, bytes, columns and types, first and last event."""

    kind: ClassVar[str] = "facts"
    table: str


Measure = Cells | Keyed | PerRequest | Cohort | KeyedSample | Clusters | Expression | Facts


def measure_id(measure: Measure, binding: str = "") -> str:
    """A stable name for a measure's counts: equal definitions, and equal ``binding``, give equal ids.

    Args:
        measure: what is counted.
        binding: everything else the counts depend on (edge-set id, roles, slice dimensions, engine version).

    Returns:
        20 hexadecimal digits of a SHA-256.

    Example:
        >>> measure_id(Facts("items")) == measure_id(Facts("items")) != measure_id(Facts("models"))
        True
    """
    definition = json.dumps([measure.kind, asdict(measure), binding], sort_keys=True)
    return hashlib.sha256(definition.encode()).hexdigest()[:20]
