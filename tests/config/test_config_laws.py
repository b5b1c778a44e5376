"""Laws: merging is associative, and what is dumped is loaded back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.config.dump import dump_settings
from recsysops.config.load import load_settings
from recsysops.config.merge import merge
from recsysops.config.settings import WorkspaceSettings
from recsysops.config.yaml_dialect import dump_yaml, parse_yaml, quote_yaml
from recsysops.errors import ConfigError

leaves = st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2) | st.none()
# Lower-case keys hold leaves and upper-case keys hold mappings, as a schema would have it.
trees = st.recursive(
    st.dictionaries(st.sampled_from("abc"), leaves, max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("ABC"), inner, max_size=3),
    max_leaves=8,
)
texts = st.text(max_size=12) | st.sampled_from(
    ["${A}", "$${", "no", "1e5", "0o7", "12:30", "<<", "=", "~", "[red]", "🎬"]
)
scalars = texts | st.booleans() | st.floats(allow_nan=False) | st.integers(-(10**17), 10**17)
columns = st.fixed_dictionaries({}, optional={"default": st.floats(allow_nan=False) | texts, "mask": texts})
tables = st.fixed_dictionaries(
    {
        "source": st.fixed_dictionaries(
            {"path": texts.filter(bool)}, optional={"options": st.dictionaries(texts, scalars, max_size=3)}
        ),
        "roles": st.dictionaries(st.sampled_from(["item_id", "ts"]), texts),
    },
    optional={"features": st.lists(texts, max_size=3), "columns": st.dictionaries(texts, columns, max_size=3)},
)
workspaces = st.fixed_dictionaries(
    {"tables": st.dictionaries(st.sampled_from(["candidates", "outcomes"]), tables)},
    optional={"name": texts.filter(bool), "state": texts, "skip": st.lists(texts, max_size=2)},
)


@settings(deadline=None, derandomize=True)
@given(trees, trees, trees)
def test_merging_is_associative(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@settings(deadline=None, derandomize=True)
@given(trees)
def test_merging_with_nothing_changes_nothing(a: dict[str, Any]) -> None:
    assert merge(a, {}) == merge({}, a) == merge(a, a) == a


@settings(deadline=None, derandomize=True)
@given(st.dictionaries(texts, scalars | st.lists(scalars, max_size=2) | st.none(), min_size=1, max_size=4))
def test_yaml_is_read_back_as_written(data: dict[str, Any]) -> None:
    assert parse_yaml(dump_yaml(data), "x") == data
    (first, value), *_ = data.items()
    if not isinstance(value, list):
        assert parse_yaml(f"{quote_yaml(first)}: {quote_yaml(value)}\n", "x") == {first: value}


@settings(deadline=None, derandomize=True)
@given(workspaces)
def test_dumped_settings_are_loaded_back(data: dict[str, Any]) -> None:
    before = WorkspaceSettings.model_validate(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recsysops.yaml"
        path.write_text(dump_settings(before), encoding="utf-8")
        assert load_settings(path, env=None, brand=None, environ={}) == before


pieces = st.sampled_from(
    [
        "tables:",
        "\n",
        "  ",
        "- ",
        "candidates: ",
        "{",
        "}",
        "[",
        "]",
        "&a ",
        "*a",
        "!x ",
        "'",
        '"',
        "${A}",
        "<<: ",
        "|",
        "1",
    ]
)


@settings(deadline=None, derandomize=True)
@given(st.lists(pieces, max_size=20).map("".join) | st.text(max_size=40))
def test_any_text_is_settings_or_one_known_error(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recsysops.yaml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            load_settings(path, env=None, brand=None, environ={})
        except ConfigError as error:
            assert "recsysops.yaml" in str(error)  # noqa: PT017  (either outcome is right)
