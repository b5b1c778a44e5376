"""Samples are found by name, wherever the package is installed."""

from __future__ import annotations

import pytest

from recsysops import sample_logs


def test_every_named_sample_has_a_folder() -> None:
    assert "open_bandit" in sample_logs.names()
    for name in sample_logs.names():
        assert sample_logs.path(name).is_dir()


@pytest.mark.parametrize("name", ["openbandit", "", ".", "..", "../tests", "open_bandit/items"])
def test_an_unknown_name_lists_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match=r"expected one of: .*open_bandit") as error:
        sample_logs.path(name)
    assert repr(name) in str(error.value)
