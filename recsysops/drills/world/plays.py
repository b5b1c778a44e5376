"""What members truly do: they look at positions with fading attention and play what appeals to them; some search."""

from __future__ import annotations

from datetime import date

import numpy as np

from recsysops.drills.rows import Rows
from recsysops.drills.world.calendar import seconds_of_day
from recsysops.drills.world.catalogue import Items
from recsysops.drills.world.coding import coded
from recsysops.drills.world.population import Floats, Integers, Population
from recsysops.drills.world.size import WorldSize, stream
from recsysops.drills.world.upstream import midnight
from recsysops.drills.world.vocabulary import ARMS, DEVICES, GENRES, LANGUAGES, SLATE

BASE = -2.7
TASTE, LANGUAGE, ENGLISH, FRESH = 3.2, 0.5, 0.2, 0.3
SHORT_SHARE = 0.16
"""Plays given up within two minutes."""
SEARCH_SHARE = 0.16
"""Plays found by searching, beside the number of requests."""


def liking(items: Items, number: int, day: date) -> Rows:
    """How much everybody likes each item today, one row per item: ``quality`` in log-odds, ``price``, ``taste_0`` …"""
    is_weekend = day.weekday() >= 5
    seasonal = 0.15 * is_weekend * (items.genre == GENRES.index("family"))
    fresh = FRESH * np.exp(-np.maximum(number - items.launch, 0) / 10) * (items.launch >= 0)
    tastes = {f"taste_{k}": items.taste[:, k] for k in range(items.taste.shape[1])}
    return Rows(
        {"item": np.arange(len(items)), "quality": items.quality + fresh + seasonal, "price": items.price, **tastes}
    )


def appeal(members: Population, items: Items, likes: Rows, member: Integers) -> Floats:
    """Log-odds that a member who looks at an item plays it; (len(member), n_items). The truth."""
    who, which = np.unique(member, return_inverse=True)
    tastes = np.stack([likes[f"taste_{k}"] for k in range(members.taste.shape[1])])
    spoken = members.speaks[who][:, items.language]
    is_english = items.language == LANGUAGES.index("en")
    value = (
        BASE + TASTE * members.taste[who] @ tastes + likes["quality"]
        + np.where(spoken, LANGUAGE, np.where(is_english, ENGLISH - LANGUAGE, -LANGUAGE))
        - 0.02 * members.thrift[who][:, None] * likes["price"]
    )  # fmt: skip
    return np.asarray(value[which.ravel()])


def layout() -> Rows:
    """Probability that a position is looked at, one row per experiment arm, device and position."""
    fade = {"tv": 0.14, "phone": 0.3, "web": 0.2, "tablet": 0.22}
    arm, device, position = (one.ravel() for one in np.meshgrid(ARMS, DEVICES, np.arange(1, SLATE + 1), indexing="ij"))
    fades = np.array([fade[name] for name in device])
    return Rows(
        {
            "arm": arm.astype(object),
            "device": device.astype(object),
            "position": position,
            "examined": 1 / (1 + fades * (position - 1)),
        }
    )


def from_slates(requests: Rows, ranked: Rows, looks: Rows, odds: Floats, items: Items, seed: int, number: int) -> Rows:
    """Plays of impressions. Draws belong to a request and an item or position, whatever is shown there."""
    rng = stream(seed, "plays", number)
    n, n_items = odds.shape
    looked, liked = rng.random((n, SLATE)), rng.random((n, n_items), np.float32)
    short, noise, delay = rng.random((n, SLATE)), rng.normal(size=(n, SLATE)), rng.exponential(90, (n, SLATE))
    seen = ranked.take(ranked["is_shown"])
    request, item, place = seen["request"], seen["item"], seen["final_rank"] - 1
    table = np.zeros((len(ARMS), len(DEVICES), SLATE))
    table[coded(looks["arm"], ARMS), coded(looks["device"], DEVICES), looks["position"] - 1] = looks["examined"]
    examined = table[coded(requests["experiment_arm"], ARMS), coded(requests["device"], DEVICES)]
    p = 1 / (1 + np.exp(-odds[request, item]))
    is_play = (looked < examined)[request, place] & (liked[request, item] < p)
    request, item, place = request[is_play], item[is_play], place[is_play]
    return Rows(
        {
            "request": request,
            "member": requests["member"][request],
            "item": item,
            "ts": requests["ts"][request] + (1e6 * delay[request, place]).astype("timedelta64[us]"),
            "minutes": _minutes(odds[request, item], items.runtime[item], short[request, place], noise[request, place]),
            "origin": np.full(len(request), "slate", object),
        }
    )


def from_search(
    members: Population, items: Items, likes: Rows, n_requests: int, size: WorldSize, seed: int, number: int
) -> Rows:
    """Plays that members found themselves: clean demand, in proportion to appeal. One in eight comes from outside."""
    rng = stream(seed, "search", number)
    n = int(rng.poisson(SEARCH_SHARE * n_requests))
    weight = members.activity * (members.joined <= number)
    member = rng.choice(len(members), n, p=weight / weight.sum())
    odds = appeal(members, items, likes, member)
    may = items.live(number) & items.markets[:, members.market[member]].T
    race = rng.gumbel(size=odds.shape) + 1.3 * odds
    item = np.argmax(np.where(may, race, -np.inf), axis=1)
    chosen = odds[np.arange(n), item]
    return Rows(
        {
            "request": np.full(n, -1),
            "member": member,
            "item": item,
            "ts": midnight(size, number) + (seconds_of_day(n, rng) * 1e6).astype("timedelta64[us]"),
            "minutes": _minutes(chosen, items.runtime[item], rng.random(n), rng.normal(size=n)),
            "origin": np.where(rng.random(n) < 0.125, "external", "search").astype(object),
        }
    )


def _minutes(odds: Floats, runtime: Floats, short: Floats, noise: Floats) -> Floats:
    """Minutes watched: under two when given up, else more of the film the more it appeals."""
    share = 1 / (1 + np.exp(-(0.6 + 0.4 * (odds - BASE) + 0.9 * noise)))
    patience = 2 * SHORT_SHARE / (1 + np.exp(0.5 * (odds - BASE)))
    watched = np.where(short < patience, 1.9 * short / patience, np.maximum(share * runtime, 2.1))
    return np.asarray(np.round(watched, 1))
