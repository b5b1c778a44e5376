"""Features, the masks beside them, slices, and slate-shaped columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from recsysops.inspection.synonyms import squash, tokens
from recsysops.inspection.values import ColumnFacts, TableSample

MAX_SLICES = 6
_SLICE_VALUES = range(2, 51)
_WITH_FEATURES = ("candidates", "items", "item_features", "member_features")
_WITH_SLICES = ("candidates", "outcomes")
_DIMENSIONS = (
    "country market region locale territory language device platform os surface placement page campaign policy channel "
    "brand segment experiment arm model app site"
)
_SLICE_WORDS = _DIMENSIONS.split()
_FEATURES = "feature features feat f x emb embedding embeddings affinity count ratio rate avg mean std"
_FEATURE_WORDS = frozenset(_FEATURES.split())
_OUTCOMES = (
    "click clicked clicks isclick isclicked label play played purchase purchased converted conversion liked booked"
)
_OUTCOME_WORDS = frozenset(_OUTCOMES.split())
_MASK = (
    re.compile(r"(?:is|was)[_.]?(?:default|defaulted|missing|null|imputed)[_.](?P<of>.+)"),
    re.compile(r"(?P<of>.+?)[_.](?:(?:is|was)[_.]?)?(?:default|defaulted|missing|imputed|mask)"),
)


def outcome_columns(sample: TableSample) -> tuple[str, ...]:
    """0/1 columns named like an outcome: a log that joined clicks onto its impressions."""
    return tuple(column.name for column in sample.columns if column.is_flag and squash(column.name) in _OUTCOME_WORDS)


def guess_masks(sample: TableSample, used: Collection[str]) -> dict[str, str]:
    """column: companion column of flags that is true where the column's value was defaulted."""
    by_name = {column.name.casefold(): column.name for column in sample.columns if column.name not in used}
    masks: dict[str, str] = {}
    for column in sample.columns:
        if column.is_flag and column.name not in used:
            for pattern in _MASK:
                found = pattern.fullmatch(column.name.casefold())
                base = by_name.get(found["of"]) if found else None
                if base and base != column.name:
                    masks.setdefault(base, column.name)
    return masks


def guess_slices(sample: TableSample, table: str, used: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(slices, further columns that could be): categories of 2 to 50 values, dimensions by name first."""
    if table not in _WITH_SLICES:
        return (), ()
    free = [column for column in sample.columns if _can_slice(column, sample) and column.name not in used]
    named = sorted((c for c in free if _slice_rank(c.name) < len(_SLICE_WORDS)), key=lambda c: _slice_rank(c.name))
    others = [c for c in free if c not in named and c.kind == "categorical" and not is_feature_name(c.name)]
    names = tuple(column.name for column in (*named, *others))
    return names[:MAX_SLICES], names[MAX_SLICES:]


def guess_features(sample: TableSample, table: str, used: Collection[str]) -> tuple[str, ...]:
    """Columns that the model or an upstream table may know as features: numbers, flags and categories, but no ids."""
    if table not in _WITH_FEATURES:
        return ()
    return tuple(column.name for column in sample.columns if column.name not in used and _can_be_feature(column))


def compact(features: tuple[str, ...], everything: Collection[str]) -> tuple[str, ...]:
    """Many features with a common beginning as one glob, if it stands for exactly those columns."""
    if len(features) <= 40:
        return features
    heads: dict[str, list[str]] = {}
    for name in features:
        head = re.match(r"[A-Za-z]+[_.]?", name)
        heads.setdefault(head[0] if head else name, []).append(name)
    result: list[str] = []
    for prefix, names in heads.items():
        is_exact = len(names) > 1 and set(names) == {name for name in everything if name.startswith(prefix)}
        result += [f"{prefix}*"] if is_exact else names
    return tuple(result)


def guess_unnest(sample: TableSample, item: str) -> tuple[str, ...]:
    """Parallel lists of a slate-shaped log: those of the same length as the items' list, row by row."""
    anchor = next((column for column in sample.columns if column.is_list and column.name == item), None)
    if anchor is None:
        return ()
    parallel = [column.name for column in sample.columns if column.is_list and column.lengths == anchor.lengths]
    return (item, *(name for name in parallel if name != item))


def is_nameable(name: str) -> bool:
    """Whether a column can be asked for in SQL at all."""
    return name != "" and "\0" not in name


def is_feature_name(name: str) -> bool:
    """Whether a name says feature: ``f_12``, ``user_feature_0``, ``emb3``."""
    words = {word.rstrip("0123456789") for word in tokens(name)}
    return bool(words & _FEATURE_WORDS)


def _slice_rank(name: str) -> int:
    """Place of the name's first dimension word; the number of words when it has none or is a feature's name."""
    words = tokens(name)
    if is_feature_name(name):
        return len(_SLICE_WORDS)
    return min((_SLICE_WORDS.index(word) for word in words if word in _SLICE_WORDS), default=len(_SLICE_WORDS))


def _can_slice(column: ColumnFacts, sample: TableSample) -> bool:
    is_category = column.kind in ("categorical", "boolean") or (column.kind == "numeric" and column.is_whole)
    is_repeated = column.n_distinct * 2 <= sample.n_rows or sample.n_rows < 20
    is_fit = is_category and not column.is_list and not column.is_timelike and is_repeated
    return is_fit and column.n_distinct in _SLICE_VALUES and is_nameable(column.name)


def _can_be_feature(column: ColumnFacts) -> bool:
    if column.kind in ("other", "timestamp") or column.is_timelike or not is_nameable(column.name):
        return False
    if column.kind == "numeric" and not column.is_whole:
        return True
    words = set(tokens(column.name))
    is_id = bool(words & {"id", "uuid", "guid", "url", "sku"}) and not is_feature_name(column.name)
    is_unique_text = column.kind == "categorical" and column.n_distinct > max(20, 0.5 * column.n_present)
    return not is_id and not is_unique_text


def unused_columns(sample: TableSample, used: Collection[str], masks: Mapping[str, str]) -> tuple[str, ...]:
    """What is left when everything has been assigned."""
    taken = {*used, *masks.values()}
    return tuple(column.name for column in sample.columns if column.name not in taken)
