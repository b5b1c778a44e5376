"""The label pipeline: plays become outcomes, some minutes after they happened."""

from __future__ import annotations

import numpy as np

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world.catalogue import Items
from recsysops.drills.world.population import Floats, Integers, Population
from recsysops.drills.world.size import stream

MEDIAN_DELAY_SECONDS = 240.0
EMPTY_EVENTS = ("member", "item", "ts", "minutes", "origin")


def delivered(requests: Rows, plays: Rows, members: Population, items: Items, seed: int, number: int) -> Rows:
    """Outcomes, one row per play, in the order of plays: ``request_id``, ``ts``, ``item_id``, ``kind``, ``value`` (minutes),
    ``origin``, ``ingested_at``; ``member`` and ``item`` are numbers and are not written."""
    delay = MEDIAN_DELAY_SECONDS * np.exp(1.1 * _luck(plays["request"], len(requests), stream(seed, "labels", number)))
    request_id = _with_none(requests["request_id"])[plays["request"]]
    return Rows(
        {
            "request_id": request_id,
            "ts": plays["ts"],
            "item_id": items.ids[plays["item"]],
            "member_id": members.ids[plays["member"]],
            "kind": np.full(len(plays), "play", object),
            "value": plays["minutes"],
            "origin": plays["origin"],
            "surface": _with_none(requests["surface"])[plays["request"]],
            "ingested_at": plays["ts"] + (1e6 * delay).astype("timedelta64[us]"),
            "member": plays["member"],
            "item": plays["item"],
        }
    )


def _with_none(texts: Column) -> Column:
    """The texts with None at their end, which number -1 then picks."""
    return np.append(texts, np.array([None], object))


def _luck(request: Integers, n_requests: int, rng: np.random.Generator) -> Floats:
    """A normal draw per play: that of its request, so that what happens elsewhere does not move it; else one of its own."""
    of_request, own = rng.normal(size=n_requests), rng.normal(size=len(request))
    is_own = request < 0
    return np.where(is_own, own[is_own.cumsum() - 1], np.append(of_request, 0.0)[request])


def events(outcomes: Rows) -> Rows:
    """What the feature pipeline takes from outcomes."""
    return Rows({**{name: outcomes[name] for name in ("member", "item", "ts", "origin")}, "minutes": outcomes["value"]})
