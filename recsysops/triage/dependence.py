"""Does one column determine another? Learnt from the reference's counts of pairs, then every row keeps it or breaks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from recsysops.profiles.categories import PAIR_SEPARATOR
from recsysops.profiles.history import CellContrast, Counts, Floats, Window
from recsysops.profiles.slices import Slice

KEPT, BROKEN = 0, 1
MIN_ROWS = 500
"""Rows of the reference with a pair of known values, below which nothing is learnt."""
MIN_NAMED = 0.9
"""Share of rows that the counted pairs must cover."""
MIN_OF_VALUE = 5
"""Rows of a value from which it is known what it goes with."""


@dataclass(frozen=True)
class Dependence:
    """``usual`` is what each value of the determining column (0 or 1 of the pair) goes with.

    ``share`` of rows are as usual; ``gain`` is Goodman and Kruskal's lambda: the share of the errors of guessing the other
    column that are saved by knowing this one.
    """

    determining: int
    usual: Mapping[str, str]
    share: float
    gain: float

    @property
    def is_identity(self) -> bool:
        """Whether both columns say the same in the same words."""
        return all(one == other for one, other in self.usual.items())

    def pairs(self) -> list[tuple[str, str]]:
        """The usual pairs of values, in the order of the two columns."""
        return [(one, two) if self.determining == 0 else (two, one) for one, two in self.usual.items()]


def learn(contrast: CellContrast, min_share: float, min_gain: float) -> Dependence | None:
    """The better of the two directions, or None where neither column determines the other in the reference.

    Args:
        contrast: counts of a pair of columns.
        min_share: of rows that are as usual.
        min_gain: least lambda; a column that is nearly always the same is determined by anything, and tells nothing.
    """
    counts = contrast.reference[:, 0].sum(axis=0)
    named = counts[contrast.n_specials :]
    valued = counts.sum() - counts[contrast.cell("null")] - counts[contrast.cell("defaulted")]
    if named.sum() < max(MIN_ROWS, MIN_NAMED * valued):
        return None
    pairs = [_split(name) for name in contrast.cells[contrast.n_specials :]]
    found = [_direction(pairs, named, index) for index in (0, 1)]
    sound = [one for one in found if one.usual and one.share >= min_share and one.gain >= min_gain]
    # of two that determine each other, that with more values: new ones are then its own, and not exceptions
    return max(sound, key=lambda one: (len(one.usual), -one.determining), default=None)


def held_against(
    contrast: CellContrast, alone: tuple[CellContrast, CellContrast], dependence: Dependence
) -> CellContrast:
    """The same rows as kept, broken and unknown.

    Pairs never seen before break the dependence, but for as many of them as have a value of the determining column that was never
    seen either: a new market is no exception. Where both columns say the same word, both must be new. Pairs too rare to be counted
    are unknown, and so are values of which little is known.

    Args:
        contrast: counts of the pair.
        alone: counts of either column.
        dependence: as learnt.
    """
    place = contrast.cell("new")
    kept, broken = _cells(contrast, dependence)
    windows: dict[Window, tuple[Counts, Counts]] = {}
    for window in ("reference", "current"):
        whole: Counts = getattr(contrast, window)
        new = [_new_values(one, contrast.slices, window) for one in alone]
        excused = np.minimum(*new) if dependence.is_identity else new[dependence.determining]
        windows[window] = (whole, np.maximum(whole[..., place] - excused, 0))

    def parted(counts: Counts, unseen: Counts) -> Counts:
        sums = [counts[..., kept].sum(axis=-1), counts[..., broken].sum(axis=-1) + unseen]
        return np.stack([*sums, counts.sum(axis=-1) - sums[KEPT] - sums[BROKEN]], axis=-1)

    def load_buckets(window: Window, index: int) -> Counts:
        whole, unseen = windows[window]
        total = int(whole[:, index, place].sum())
        buckets = contrast.load_buckets(window, index)
        share = unseen[:, index].sum() / total if total else 0.0
        return parted(buckets, np.rint(buckets[..., place] * share).astype(np.int64))

    return replace(
        contrast,
        cells=("kept", "broken", "unknown"),
        reference=parted(*windows["reference"]),
        current=parted(*windows["current"]),
        load_buckets=load_buckets,
        hourly=None,
    )


def likeliest_break(contrast: CellContrast, dependence: Dependence, slice_index: int) -> tuple[str, str] | None:
    """The pair of values that breaks the dependence most often now, compared with before; None if it has never been seen."""
    _, broken = _cells(contrast, dependence)
    if not len(broken):
        return None
    before = contrast.reference[:, slice_index].sum(axis=0) / max(1, contrast.reference[:, slice_index].sum())
    now = contrast.current[:, slice_index].sum(axis=0) / max(1, contrast.current[:, slice_index].sum())
    rise = (now - before)[broken]
    return _split(contrast.cells[broken[int(rise.argmax())]]) if rise.max() > 0 else None


def moved(alone: tuple[CellContrast, CellContrast], dependence: Dependence) -> int | None:
    """Which of the two columns (0 or 1) left the other, or None where the days of the reference differ too much to tell.

    Both columns move with the traffic; what parts them is the difference of their shares, and the column that moved along it is
    the one that left. Its share of the way is held against what the shares of the reference days are along the same line.
    """
    first = dependence.determining
    names = alone[1 - first].cells
    place = {name: index for index, name in enumerate(names)}
    to = [place.get(dependence.usual.get(name, name), place["other"]) for name in alone[first].cells]
    told = (_shares(alone[first], to, len(names)), _shares(alone[1 - first], list(range(len(names))), len(names)))
    (days, now), (days_other, now_other) = told
    parting = now - now_other
    length = float(parting @ parting)
    if not length or not len(days) or not len(days_other):
        return None
    way = float((now - days.mean(axis=0)) @ parting) / length
    noise = float(((days_other - days_other.mean(axis=0)) @ parting).std()) / length
    if abs(way - 0.5) <= 2 * noise:
        return None
    return first if way > 0.5 else 1 - first


def _shares(contrast: CellContrast, to: list[int], n: int) -> tuple[Floats, Floats]:
    """Shares of rows with a value by day of the reference and now; each cell is counted at another's place."""
    maps = np.zeros((len(to), n))
    maps[np.arange(1, len(to)), to[1:]] = 1.0  # the first cell is NULL
    days, now = contrast.reference[:, 0] @ maps, contrast.current[:, 0].sum(axis=0) @ maps
    days = days[days.sum(axis=1) > 0]
    return days / days.sum(axis=1, keepdims=True), now / max(1.0, now.sum())


def _new_values(alone: CellContrast, slices: tuple[Slice, ...], window: Window) -> Counts:
    """Rows with a value of one column that was never seen before; shape (n_units, n_slices)."""
    place = {slice_: index for index, slice_ in enumerate(alone.slices)}
    counts: Counts = getattr(alone, window)[..., alone.cell("new")]
    known = np.array([place.get(slice_, -1) for slice_ in slices])
    return np.asarray(np.where(known >= 0, counts[:, known], 0), np.int64)


def _cells(contrast: CellContrast, dependence: Dependence) -> tuple[list[int], list[int]]:
    """Cells that keep the dependence and cells that break it."""
    kept: list[int] = []
    broken: list[int] = []
    for index in range(contrast.n_specials, len(contrast.cells)):
        pair = _split(contrast.cells[index])
        usual = dependence.usual.get(pair[dependence.determining])
        if usual is not None:
            (kept if pair[1 - dependence.determining] == usual else broken).append(index)
    return kept, broken


def _direction(pairs: list[tuple[str, str]], counts: Counts, determining: int) -> Dependence:
    of_value: dict[str, dict[str, int]] = {}
    of_other: dict[str, int] = {}
    for pair, count in zip(pairs, counts.tolist(), strict=True):
        one, other = pair[determining], pair[1 - determining]
        of_value.setdefault(one, {})[other] = count
        of_other[other] = of_other.get(other, 0) + count
    best = {one: max(others, key=lambda name: (others[name], name)) for one, others in of_value.items()}
    total = sum(of_other.values())
    share = sum(of_value[one][other] for one, other in best.items()) / total
    guess = max(of_other.values()) / total
    known = {one: other for one, other in best.items() if sum(of_value[one].values()) >= MIN_OF_VALUE}
    return Dependence(determining, known, share, (share - guess) / (1 - guess) if guess < 1 else 0.0)


def _split(name: str) -> tuple[str, str]:
    one, _, two = name.partition(PAIR_SEPARATOR)
    return one, two
