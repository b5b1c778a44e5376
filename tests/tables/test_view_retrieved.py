"""``retrieved`` against pandas."""

from __future__ import annotations

from view_frames import derived, messy_candidates

from recsysops.tables.views.retrieved import SEPARATOR


def test_candidates_by_source_and_item() -> None:
    frame = messy_candidates(3)
    frame.loc[frame.index[::17], "candidate_source"] = None
    known = frame[frame["candidate_source"].notna()]
    expected = (known["candidate_source"] + SEPARATOR + known["item_id"].astype(str)).value_counts()
    assert derived("retrieved", frame)["found_as"].value_counts().to_dict() == expected.to_dict()
