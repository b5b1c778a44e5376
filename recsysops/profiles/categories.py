"""Frozen categories of a column: the frequent ones, and everything else the reference has ever held."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.errors import StateError
from recsysops.profiles.fast_hash import Hashes, as_texts, hash_values, no_text

MAX_KNOWN = 100_000
PAIR_SEPARATOR = "\x1f"
"""Between the two labels of a pair of columns."""


@dataclass(frozen=True)
class CategorySet:
    """The top categories by count then name, and the hashes of every value seen, so that NEW is told from OTHER.

    ``known`` are sorted little-endian uint64 hashes. With ``is_complete`` false the reference held too many values to
    remember; nothing is then called new.
    """

    categories: tuple[str, ...]
    known: bytes = b""
    is_complete: bool = True

    def __post_init__(self) -> None:
        if len(set(self.categories)) != len(self.categories):
            raise ValueError("categories: found one twice, expected them distinct")
        if len(self.known) % 8:
            raise ValueError("known: found a broken hash, expected 8 bytes each")

    @property
    def known_hashes(self) -> Hashes:
        """Sorted, shape (n_known,)."""
        return np.frombuffer(self.known, "<u8")

    @cached_property
    def id(self) -> str:
        """SHA-256 of all of it, in hexadecimal."""
        digest = hashlib.sha256(b"\x01" if self.is_complete else b"\x00")
        for category in self.categories:
            content = category.encode()
            digest.update(len(content).to_bytes(8, "little") + content)
        digest.update(self.known)
        return digest.hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        known = base64.b64encode(self.known).decode()
        return {"categories": list(self.categories), "known": known, "is_complete": self.is_complete}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> CategorySet:
        """The exact inverse of `to_dict`.

        Raises:
            StateError: if ``stored`` is not what `to_dict` writes.
        """
        try:
            known = base64.b64decode(stored["known"], validate=True)
            return cls(tuple(map(str, stored["categories"])), known, bool(stored["is_complete"]))
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise StateError("category set", found=f"damaged content ({error})", next_step="re-baseline") from error


def learn_categories(values: pa.Array | pa.ChunkedArray, top_k: int = 50, max_known: int = MAX_KNOWN) -> CategorySet:
    """Categories of a reference sample; the same values in any order give the same set.

    Args:
        values: texts, integers, booleans or a dictionary of them, shape (n,); NULLs are left out.
        top_k: how many categories get a cell of their own.
        max_known: how many distinct values are remembered.

    Raises:
        SchemaError: if values of this type cannot be written as text.
    """
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    return categories_from_counts(_count_labels(chunks), top_k, max_known)


def categories_from_counts(counts: Mapping[str, int], top_k: int = 50, max_known: int = MAX_KNOWN) -> CategorySet:
    """Categories from counts by label, as a ``GROUP BY`` gives them (labels as `as_labels` writes them)."""
    ranked = sorted(counts, key=lambda label: (-counts[label], label))
    is_complete = len(ranked) <= max_known
    hashes = hash_values(pa.array(ranked if is_complete else [], pa.string()))
    return CategorySet(tuple(ranked[:top_k]), np.unique(hashes).astype("<u8").tobytes(), is_complete)


def _count_labels(chunks: Iterable[pa.Array]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for chunk in chunks:
        encoded = as_labels(chunk)
        places = encoded.indices.drop_null().to_numpy(zero_copy_only=False)
        counts = np.bincount(places, minlength=len(encoded.dictionary)).tolist()
        for label, count in zip(texts_of(encoded.dictionary), counts, strict=True):
            if count and label is not None:
                totals[label] = totals.get(label, 0) + count
    return totals


def as_labels(array: pa.Array, name: str = "column") -> pa.DictionaryArray:
    """Any column as a dictionary of texts: 7 is ``"7"``, true is ``"true"``; NULL stays NULL.

    Raises:
        SchemaError: if values of this type cannot be written as text.
    """
    try:
        encoded = array if pa.types.is_dictionary(array.type) else pc.dictionary_encode(array)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise no_text(array.type, name) from error
    if pa.types.is_string(encoded.dictionary.type):
        return encoded
    return pa.DictionaryArray.from_arrays(encoded.indices, as_texts(encoded.dictionary, name))


def texts_of(labels: pa.Array, name: str = "column") -> list[str | None]:
    """Labels as Python texts.

    Raises:
        SchemaError: if some are no UTF-8, whatever the file says.
    """
    try:
        return [label if label is None else str(label) for label in labels.to_pylist()]
    except UnicodeDecodeError as error:
        raise no_text(labels.type, name) from error


def pair_labels(left: pa.DictionaryArray, right: pa.DictionaryArray) -> pa.DictionaryArray:
    """Both labels of every row as one, joined by `PAIR_SEPARATOR`; NULL if either is. Shapes: (n,) each."""
    first, second = (side.indices.cast(pa.int64()) for side in (left, right))
    n_right = max(len(right.dictionary), 1)
    joint = pc.dictionary_encode(pc.add(pc.multiply(first, n_right), second))
    places = joint.dictionary.to_numpy(zero_copy_only=False)
    labels = pc.binary_join_element_wise(
        left.dictionary.take(pa.array(places // n_right)),
        right.dictionary.take(pa.array(places % n_right)),
        PAIR_SEPARATOR,
    )
    return pa.DictionaryArray.from_arrays(joint.indices, labels)
