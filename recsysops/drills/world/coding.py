"""Numbers for words: columns of texts as codes, looked up word by word (far quicker than comparing or sorting texts)."""

from __future__ import annotations

from itertools import repeat

import numpy as np

from recsysops.drills.rows import Column
from recsysops.drills.world.population import Integers


def coded(values: Column, vocabulary: tuple[str, ...]) -> Integers:
    """Place of each text in the vocabulary, -1 for anything else."""
    places = {word: place for place, word in enumerate(vocabulary)}
    return np.fromiter(map(places.get, values, repeat(-1)), np.int64, len(values))


def numbered(values: Column) -> tuple[list[object], Integers]:
    """The different values in the order of their first row, and the number of each row's."""
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    return list(places), np.fromiter(map(places.__getitem__, values), np.int64, len(values))


def language_table(spoken: list[object], languages: tuple[str, ...]) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which languages are in each text like ``en,nb``; (n_texts, n_languages + 1), the last column never."""
    table = np.zeros((len(spoken), len(languages) + 1), bool)
    for row, text in enumerate(spoken):
        for word in str(text).split(","):
            if word in languages:
                table[row, languages.index(word)] = True
    return table
