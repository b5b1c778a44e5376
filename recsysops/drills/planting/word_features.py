"""Features that hold words: which a site has, and words that are small enough to go wrong unnoticed."""

from __future__ import annotations

from recsysops.drills.planting.upstream_of import features_of_table
from recsysops.drills.site import Site

_FLAGS = frozenset({"true", "false", "0", "1"})


def word_features(site: Site) -> tuple[str, ...]:
    """Categorical features of items (on own logs of anything, if items have none) with at least two words; no flags."""
    names = site.features("categorical", "item") or site.features("categorical")
    if site.is_simulated:
        names = tuple(name for name in site.features("categorical") if name in features_of_table("item_features"))
    words = {name: {value.lower() for value in site.columns[name].values} for name in names}
    return tuple(name for name in names if len(words[name]) > 1 and not words[name] <= _FLAGS)


def small_words(feature: str, site: Site, least: float, largest: float) -> tuple[str, ...]:
    """Words of a feature that fill a share of the rows between two bounds, in the order of the alphabet."""
    shares = site.columns[feature].values
    return tuple(sorted(word for word, share in shares.items() if least <= share <= largest))


def rare_words(feature: str, site: Site) -> tuple[str, ...]:
    """The five rarest words of a feature that are known at the site, rarest first."""
    shares = site.columns[feature].values
    return tuple(sorted(shares, key=lambda word: (shares[word], word))[:5])
