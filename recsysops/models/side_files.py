"""The two small files that may stand beside a model: how columns of the logs become its matrix, and its margin a score.

``<model>.schema.json``, everything optional:
```
{"schema": "features-7",                      version of the feature list, as the logs name it
 "features": ["plays_1d", "genre"],           in the order of the model's columns
 "categories": {"genre": ["drama", "crime"]}, a text is coded by its place in the list; texts not in it are missing
 "fill": {"plays_1d": 0},                     what a missing number is replaced with before scoring
 "raw_score": "margin"}                       or "probability": what the logs call raw_score
```
``<model>.calibration.json``: see ``models.calibration``. Unknown keys are left alone: they are the team's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from recsysops.errors import SourceError

RawKind = Literal["margin", "probability"]
SCHEMA, CALIBRATION = "schema", "calibration"
_MOST_BYTES = 64_000_000


@dataclass(frozen=True)
class FeatureSchema:
    """How columns of the logs become a model's matrix."""

    version: str = ""
    features: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fill: Mapping[str, float] = field(default_factory=dict)
    raw_score: RawKind = "margin"


def side_file(model: Path, kind: str) -> Path:
    """``m-1.txt`` → ``m-1.schema.json``."""
    return model.with_name(f"{model.stem}.{kind}.json")


def read_document(path: Path) -> tuple[bytes, Mapping[str, Any]] | None:
    """Bytes and content of a JSON file with one object, or None when there is no such file.

    Raises:
        SourceError: if it is something else, or larger than 64 MB.
    """
    if not path.exists():
        return None
    if path.stat().st_size > _MOST_BYTES:
        raise SourceError(str(path), found=f"{path.stat().st_size:,} bytes", expected=f"at most {_MOST_BYTES:,}")
    content = path.read_bytes()
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SourceError(str(path), found=f"no JSON ({error})", expected="one JSON object") from error
    if not isinstance(document, dict):
        raise SourceError(str(path), found=f"a {type(document).__name__}", expected="one JSON object")
    return content, document


def schema_of(document: Mapping[str, Any], where: str) -> FeatureSchema:
    """The schema that a document describes.

    Raises:
        SourceError: if a part is of the wrong form.
    """
    features, categories, fill = (document.get(name) for name in ("features", "categories", "fill"))
    _refuse(where, "features", features, is_fit=features is None or _is_names(features))
    _refuse(
        where,
        "categories",
        categories,
        is_fit=categories is None or (isinstance(categories, dict) and all(map(_is_scalars, categories.values()))),
    )
    _refuse(
        where, "fill", fill, is_fit=fill is None or (isinstance(fill, dict) and all(map(_is_number, fill.values())))
    )
    raw = document.get("raw_score", "margin")
    _refuse(where, "raw_score", raw, is_fit=raw in ("margin", "probability"))
    return FeatureSchema(
        version=str(document.get("schema", "")),
        features=tuple(features or ()),
        categories={name: tuple(map(str, words)) for name, words in (categories or {}).items()},
        fill={name: float(value) for name, value in (fill or {}).items()},
        raw_score=raw,
    )


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value) and len(set(value)) == len(value)


def _is_scalars(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str | int | float) for one in value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse(where: str, key: str, value: object, *, is_fit: bool) -> None:
    if not is_fit:
        forms = {
            "features": "a list of different names",
            "categories": "a list of values for each name",
            "fill": "a number for each name",
            "raw_score": "margin or probability",
        }
        raise SourceError(f"{where}: {key}", found=repr(value)[:120], expected=forms[key])
