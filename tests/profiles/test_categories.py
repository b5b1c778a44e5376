"""Categories: frequent ones by count then name, and everything the reference has held."""

import json
from typing import Any

import pyarrow as pa
import pytest

from recsysops.errors import SchemaError, StateError
from recsysops.profiles.categories import PAIR_SEPARATOR, CategorySet, as_labels, learn_categories, pair_labels
from recsysops.profiles.fast_hash import hash_values

WORDS = ["b", "a", "b", None, "🎬", "", "a", "c"]


def test_by_count_then_name() -> None:
    learnt = learn_categories(pa.array(WORDS), top_k=3)
    assert learnt.categories == ("a", "b", "")
    assert len(learnt.known_hashes) == 5
    assert learnt == learn_categories(pa.chunked_array([WORDS[::-1][:3], WORDS[::-1][3:]]).dictionary_encode(), top_k=3)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([True, False, None, True]), ("true", "false")),
        (pa.array([7, 7, -1], pa.int8()), ("7", "-1")),
        (pa.array([2**63], pa.uint64()), (str(2**63),)),
        (pa.array(["x"], pa.large_string()), ("x",)),
        (pa.array([], pa.string()), ()),
        (pa.nulls(3), ()),
    ],
)
def test_other_types_become_text(values: pa.Array, expected: tuple[str, ...]) -> None:
    assert learn_categories(values).categories == expected


def test_too_many_values_to_remember() -> None:
    learnt = learn_categories(pa.array([str(k) for k in range(20)]), top_k=2, max_known=10)
    assert (learnt.is_complete, learnt.known, len(learnt.categories)) == (False, b"", 2)


def test_unused_dictionary_entries_are_not_seen() -> None:
    assert learn_categories(pa.DictionaryArray.from_arrays([1, 1], ["a", "b"])).categories == ("b",)


def test_round_trip() -> None:
    learnt = learn_categories(pa.array(WORDS))
    again = CategorySet.from_dict(json.loads(json.dumps(learnt.to_dict())))
    assert again == learnt
    assert again.id == learnt.id != learn_categories(pa.array(WORDS[:3])).id


@pytest.mark.parametrize("stored", [{}, {"categories": [], "known": "*", "is_complete": True}, {"categories": 1}])
def test_damaged_content_is_a_state_error(stored: dict[str, Any]) -> None:
    with pytest.raises(StateError, match="category set"):
        CategorySet.from_dict(stored)


def test_pairs() -> None:
    left, right = as_labels(pa.array(["a", "b", None, "a"])), as_labels(pa.array([1, 2, 3, None]))
    assert pair_labels(left, right).to_pylist() == [f"a{PAIR_SEPARATOR}1", f"b{PAIR_SEPARATOR}2", None, None]
    assert pair_labels(left[:0], right[:0]).to_pylist() == []


def test_lists_are_refused_in_words() -> None:
    with pytest.raises(SchemaError, match="declare its kind as other"):
        as_labels(pa.array([{"a": 1}]))


def test_the_fast_hash_depends_on_content_alone() -> None:
    texts = ["", "a", "12345678", "123456789", "1234567890123456", "1234567890123456x", "é🎬"]
    plain = hash_values(pa.array(texts))
    assert len(set(plain.tolist())) == len(texts)
    for other in (pa.array(texts, pa.large_string()), pa.array(texts).dictionary_encode(), pa.array(["z", *texts])[1:]):
        assert hash_values(other).tolist() == plain.tolist()
    assert hash_values(pa.array(["a", "a" * 9])).tolist() == [4254736142111658017, 3480502393453619657]
