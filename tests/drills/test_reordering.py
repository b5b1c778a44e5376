"""Slates in another order, beside the obvious way of reordering one slate after the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsysops.drills.planting.reordering import numbered, order_of, reordered
from recsysops.drills.rows import Rows
from recsysops.testing.example_site import example_candidates


def slates(n_requests: int, n_candidates: int, n_shown: int, *, has_rank: bool) -> Rows:
    rank = np.tile(np.arange(1, n_candidates + 1), n_requests)
    columns = {
        "request_id": np.repeat(np.array([f"r{k}" for k in range(n_requests)], object), n_candidates),
        "item_id": np.array([f"i{k}" for k in rank], object),
        "position": np.where(rank <= n_shown, rank, 0),
        "shown": rank <= n_shown,
    }
    return Rows(columns | ({"final_rank": rank} if has_rank else {}), {"position": rank > n_shown})


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.data())
def test_every_slate_is_the_first_of_its_new_order(data: st.DataObject) -> None:
    n_candidates = data.draw(st.integers(1, 6))
    n_shown = data.draw(st.integers(0, n_candidates))
    rows = slates(3, n_candidates, n_shown, has_rank=data.draw(st.booleans()))
    n = len(rows)
    place = np.array(data.draw(st.lists(st.floats(-5, 5), min_size=n, max_size=n)))
    out = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    after = reordered(rows, place, out)
    before = order_of(rows)
    for request in ("r0", "r1", "r2"):
        mine = np.flatnonzero(rows["request_id"] == request)
        order = sorted(mine, key=lambda k: (out[k], place[k], before[k], k))
        if order == list(mine) and not (out & rows["shown"])[mine].any():
            order = list(mine)  # as it was
        shown = [k for k in order[:n_shown] if not out[k]]
        assert list(np.flatnonzero(after["shown"] & (after["request_id"] == request))) == sorted(shown)
        assert [after["position"][k] for k in shown] == list(range(1, len(shown) + 1))
        assert not after.nulls["position"][shown].any()
        assert after.nulls["position"][list(set(mine) - set(shown))].all()
        if "final_rank" in rows:
            assert [after["final_rank"][k] for k in order] == list(range(1, n_candidates + 1))


def test_in_the_order_there_was_nothing_changes() -> None:
    rows = example_candidates()
    after = reordered(rows, order_of(rows))
    for name in ("position", "shown", "final_rank"):
        assert (after[name] == rows[name]).all()


def test_numbers_count_within_a_group() -> None:
    group = np.array(["b", "a", "b", "a", "b"], object)
    assert list(numbered(group, np.array([3.0, 2.0, 1.0, 1.0, 2.0]))) == [3, 2, 1, 1, 2]
