"""From the model's margin to the score that is served: what stands in ``<model>.calibration.json``.

```
{"kind": "platt", "a": 1.08, "b": 0.21}              1 / (1 + exp(-(a·margin + b))); the kind may be left out
{"kind": "points", "x": [-3, 0, 2], "y": [0, .4, 1]} straight lines between points (isotonic), level beyond the last
{"kind": "identity"}                                 the score is the margin
```
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from recsysops.errors import SourceError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Identity:
    """The margin is served as it is."""

    def __call__(self, margins: Floats) -> Floats:
        return margins


@dataclass(frozen=True)
class Platt:
    """A logistic curve, after Platt (1999): ``a`` per unit of margin, ``b`` at margin 0."""

    a: float
    b: float

    def __call__(self, margins: Floats) -> Floats:
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(-(self.a * margins + self.b))))


@dataclass(frozen=True)
class Points:
    """Straight lines between points, with ``x`` increasing."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __call__(self, margins: Floats) -> Floats:
        return np.interp(margins, self.x, self.y)


Calibration = Identity | Platt | Points


def calibration_of(document: Mapping[str, Any], where: str) -> Calibration:
    """The calibration that a document describes.

    Raises:
        SourceError: if it is of no known kind, or its numbers are not usable.

    Example:
        >>> calibration_of({"a": 1, "b": 0}, "m.calibration.json")
        Platt(a=1.0, b=0.0)
    """
    kind = document.get("kind", "platt")
    try:
        if kind == "identity":
            return Identity()
        if kind == "platt":
            return Platt(_finite(document["a"]), _finite(document["b"]))
        if kind == "points":
            return _points(document)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(
            where, found=f"{type(error).__name__}: {error}", expected=f"the numbers of a calibration of kind {kind}"
        ) from error
    raise SourceError(where, found=f"kind {kind!r}", expected="platt, points or identity")


def _points(document: Mapping[str, Any]) -> Points:
    x, y = (tuple(map(_finite, document[name])) for name in ("x", "y"))
    if len(x) != len(y) or not x or any(after <= before for before, after in pairwise(x)):
        raise ValueError(f"{len(x)} x and {len(y)} y, or x that do not increase")
    return Points(x, y)


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)
