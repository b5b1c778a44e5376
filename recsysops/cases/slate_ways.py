"""What a slate has that others usually do not: fewer candidates, a silent source, a leap over the scores, old overrides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from recsysops.cases.evidence import Proof, Sign
from recsysops.cases.slate_rules import is_shown
from recsysops.cases.subject_requests import Rank, SubjectRequests, texts
from recsysops.profiles.history import Change
from recsysops.replay.candidates import Candidates
from recsysops.replay.values import micros

Floats = npt.NDArray[np.float64]
LEAST_OTHERS = 30
FEW = 0.8
"""Of the least that another request had."""
LEAP = 5.0
"""Places beyond the greatest leap of others, where policies usually move items at all."""
BY_CHANCE = 0.5
"""A shown item with a lower propensity stands where it does by a draw."""
FADES = 0.5
"""What each further source weighs beside the one before."""
LATE_MICROS = 60e6
"""How long a new generation of overrides may take to reach every host."""


def few_candidates(requests: SubjectRequests) -> tuple[Rank, tuple[Sign, ...]]:
    """Candidates of the request among those of others, and the sources that all others have candidates of."""
    counts = np.bincount(requests.rows.request, minlength=requests.rows.n_requests).astype(np.float64)
    rank, signs = requests.rank(-counts), list(_silent_sources(requests))
    if rank.n_others >= LEAST_OTHERS and -rank.own < FEW * -rank.most:
        entity = signs[0].entity if signs else "candidates"
        words = f"{-rank.own:.0f} candidates; others have {-rank.usual:.0f}, at least {-rank.most:.0f}"
        signs.append(Sign("few candidates", entity, words))
    return rank, tuple(signs)


def _silent_sources(requests: SubjectRequests) -> Iterator[Sign]:
    sources = requests.rows.role("candidate_source")
    names = np.array([] if sources is None else texts(sources).fill_null("").to_pylist(), object)
    strength = 1.0
    for name in sorted({str(one) for one in names} - {""}):
        rank = requests.rank((requests.share(names == name) == 0).astype(np.float64))
        if rank.n_others >= LEAST_OTHERS and rank.own >= 0.5 and rank.most == 0:
            words = f"no candidate of source {name}, which all of {rank.n_others} other requests have"
            yield Sign("silent source", f"source {name}", words, strength)
            strength *= FADES


def leaps(requests: SubjectRequests, changes: Sequence[Change]) -> tuple[Rank | None, Sign | None]:
    """The greatest leap of a shown item over candidates with better scores that no rule filtered.

    Policies leap too: it counts how far others do. A leap that a draw made (its propensity says so), or that a recorded
    change names the item of, is no sign.
    """
    places = _leap(requests.rows)
    if places is None:
        return None, None
    best = np.zeros(requests.rows.n_requests)
    np.maximum.at(best, requests.rows.request, places)
    rank = requests.rank(best)
    allowed = rank.most + (LEAP if rank.most > 0 else 0.0)
    if rank.n_others < LEAST_OTHERS or rank.own <= allowed:
        return rank, None
    row = int(np.argmax(np.where(requests.is_own_row, places, -1.0)))
    item = texts(requests.rows.role("item_id"))[row].as_py()
    words = f"item {item} stands {places[row]:.0f} places above its score; others leap at most {rank.most:.0f}"
    for change in changes:
        if str(item) in change.scope.replace("=", " ").replace("-", " ").split():
            return rank, Sign("planned", f"item {item}", f"{words}; {change.kind} {change.scope} says so")
    return rank, Sign("leaps over scores", f"item {item}", words)


def _leap(rows: Candidates) -> Floats | None:
    """(n_rows,) places gained; 0 for what is not shown, filtered or drawn. None where ranks or scores are not logged."""
    scores = rows.number("score") if rows.schema.role("score") else rows.number("raw_score")
    final = rows.number("final_rank") if rows.schema.role("final_rank") else rows.number("position")
    if scores is None or final is None:
        return None
    rules, propensity = rows.role("filtered_by"), rows.number("propensity")
    is_open = np.ones(rows.n_rows, bool)
    if rules is not None:
        is_open = np.array([not one for one in texts(rules).fill_null("").to_pylist()], bool)
    counts = is_shown(rows) & is_open & ~np.isnan(final)
    if propensity is not None:
        counts &= ~(propensity < BY_CHANCE)
    safe = np.where(np.isnan(scores), -np.inf, scores)
    order = np.lexsort((-safe, ~is_open, rows.request))
    first = np.searchsorted(rows.request[order], np.arange(rows.n_requests))
    by_score = np.empty(rows.n_rows)
    by_score[order] = np.arange(rows.n_rows) - first[rows.request[order]] + 1
    return np.where(counts, np.maximum(by_score - np.where(counts, final, 0.0), 0.0), 0.0)


def old_overrides(requests: SubjectRequests) -> Sign | None:
    """An answer with overrides that others had already replaced a minute before."""
    generations = requests.rows.number("override_generation")
    if generations is None:
        return None
    times, own = micros(requests.rows.role("ts")), requests.is_own_row
    hosts = requests.rows.role("host")
    for row in np.flatnonzero(own & ~np.isnan(generations)):
        newer = ~own & (times <= times[row] - LATE_MICROS) & (generations > generations[row])
        if newer.any():
            first = float(times[row] - times[newer].min()) / 60e6
            entity = f"host {texts(hosts)[int(row)].as_py()}" if hosts is not None else "override_generation"
            words = f"answered with overrides {generations[row]:.0f}, {first:.0f} min after others had {generations[newer].max():.0f}"
            return Sign("old overrides", entity, words, proof=Proof("violation", first, None, None, words))
    return None
