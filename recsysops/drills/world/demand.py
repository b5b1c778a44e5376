"""Who asks today, when, from where and on what."""

from __future__ import annotations

from datetime import date

import numpy as np

from recsysops.drills.rows import Column, Rows
from recsysops.drills.world import calendar
from recsysops.drills.world.population import Integers, Population
from recsysops.drills.world.size import STREAMS, WorldSize, stream
from recsysops.drills.world.upstream import midnight, words
from recsysops.drills.world.vocabulary import ARMS, CLIENTS, DEVICES, HOSTS, MARKET_SHARES, MARKETS, SURFACES

NEW_CLIENT_SHARE = 0.6


def demand(size: WorldSize, seed: int, number: int, day: date) -> Rows:
    """Expected requests of a day, one row per market."""
    total = calendar.volume(size, seed, number, day)
    return Rows({"market": np.array(MARKETS, object), "n_requests": total * np.array(MARKET_SHARES)})


def requests(members: Population, expected: Rows, size: WorldSize, seed: int, number: int) -> Rows:
    """One row per request, in the order of time.

    ``sampled`` and ``randomised`` are uniform draws that decide on logging and exploration, ``canary`` (of the member)
    on which model answers; arms are of members, half and half.
    """
    rng = stream(seed, "demand", number)
    n = int(rng.poisson(expected["n_requests"].sum()))
    member = _who(members, expected, n, number, rng)
    device = (rng.random((n, 1)) > members.device[member].cumsum(axis=1)[:, :-1]).sum(axis=1)
    is_child = members.rating_limit[member] <= 6
    other = rng.random(n)
    surface = np.where(is_child & (other < 0.9), 1, np.where(other > 0.78, 2, 0))
    names = words(DEVICES, device)
    return Rows(
        {
            "request": np.arange(n),
            "request_id": np.array([f"r{number:03d}-{k:06d}" for k in range(n)], object),
            "member": member,
            "member_id": members.ids[member],
            "ts": midnight(size, number) + (calendar.seconds_of_day(n, rng) * 1e6).astype("timedelta64[us]"),
            "market": words(MARKETS, members.market[member]),
            "device": names,
            "surface": words(SURFACES, surface),
            "consumer": np.where(surface == 2, "autoplay", "rows").astype(object),
            "client_version": _clients(names, rng),
            "host": words(HOSTS, rng.integers(0, len(HOSTS), n)),
            "experiment_arm": words(ARMS, (_member_draws(seed, "demand", len(members))[member] < 0.5).astype(np.int64)),
            "canary": _member_draws(seed, "canary", len(members))[member],
            "latency_ms": np.round(rng.lognormal(3.6, 0.35, n), 1),
            "sampled": rng.random(n),
            "randomised": rng.random(n),
            "fails": rng.random(n) < 0.002,
            "seed": rng.integers(0, 2**31, n),
        }
    )


def _who(members: Population, expected: Rows, n: int, number: int, rng: np.random.Generator) -> Integers:
    """Members in proportion to their activity, within what each market asks for; most ask in the evening alike."""
    per_market = np.zeros(len(MARKETS))
    for name, value in zip(expected["market"], expected["n_requests"], strict=True):
        per_market[MARKETS.index(name)] += value
    weight = members.activity * (members.joined <= number)
    within = np.bincount(members.market, weight, minlength=len(MARKETS))
    share = weight * (per_market / np.maximum(within, 1e-9))[members.market]
    return np.asarray(rng.choice(len(members), n, p=share / share.sum()))


def _clients(device: Column, rng: np.random.Generator) -> Column:
    is_new = rng.random(len(device)) < NEW_CLIENT_SHARE
    pairs = {name: np.array(versions, object) for name, versions in CLIENTS.items()}
    return np.array([pairs[name][int(new)] for name, new in zip(device, is_new, strict=True)], object)


def _member_draws(seed: int, name: str, n: int) -> Column:
    """A uniform draw per member that never changes."""
    return np.random.default_rng((seed, 900, STREAMS.index(name))).random(n)
