"""The words of the simulated service: markets, languages, devices, genres, titles."""

from __future__ import annotations

MARKETS = ("NO", "SE", "DK", "FI", "IS")
MARKET_SHARES = (0.36, 0.30, 0.22, 0.10, 0.02)
LOCAL_LANGUAGE = {"NO": "nb", "SE": "sv", "DK": "da", "FI": "fi", "IS": "is"}
LANGUAGES = ("en", "nb", "sv", "da", "fi", "is", "ko", "es", "fr", "de", "ja", "fo")
LANGUAGE_SHARES = (0.46, 0.12, 0.11, 0.09, 0.05, 0.012, 0.045, 0.04, 0.03, 0.025, 0.015, 0.003)
COUNTRY_OF = {
    "en": "US", "nb": "NO", "sv": "SE", "da": "DK", "fi": "FI", "is": "IS",
    "ko": "KR", "es": "ES", "fr": "FR", "de": "DE", "ja": "JP", "fo": "FO",
}  # fmt: skip
GENRES = (
    "drama", "comedy", "crime", "family", "documentary", "action",
    "romance", "thriller", "animation", "science_fiction", "horror", "sport",
)  # fmt: skip
GENRE_SHARES = (0.18, 0.15, 0.13, 0.1, 0.09, 0.08, 0.07, 0.06, 0.05, 0.04, 0.03, 0.02)
KINDS = ("film", "series")
RATINGS = (0, 6, 9, 12, 15, 18)
DEVICES = ("tv", "phone", "web", "tablet")
SURFACES = ("home", "kids", "post_play")
SOURCES = ("taste", "popular", "genre", "trending", "new", "exploration")
TIERS = ("A", "B", "C")
OWNERS = ("film-team", "series-team", "kids-team", "sport-team")
ARMS = ("control", "treatment")
HOSTS = tuple(f"ranker-{number}" for number in range(1, 9))
CLIENTS = {
    "tv": ("tv-8.1", "tv-8.2"), "phone": ("app-5.0", "app-5.1"), "web": ("web-330", "web-331"), "tablet": ("app-5.0", "app-5.1"),
}  # fmt: skip
FIRST_WORDS = (
    "Quiet", "Northern", "Last", "Paper", "Golden", "Hidden", "Second", "Winter", "Broken", "Silver",
    "Distant", "Open", "Burning", "Small", "Seventh", "Wild", "Empty", "Blue", "Long", "Sudden",
)  # fmt: skip
LAST_WORDS = (
    "Harbour", "Letters", "Fjord", "Promise", "Garden", "Witness", "Summer", "Orchard", "Signal", "Crossing",
    "Kingdom", "Lanterns", "Neighbours", "Verdict", "Islands", "Tide", "Choir", "Archive", "Border", "Road",
)  # fmt: skip
N_TASTES = 8
"""Dimensions of taste."""
SLATE = 8
RANDOMISED_DEPTH = 12
RANDOMISED_SHARE = 0.01
PLAY_MINUTES = 2.0
"""A play of fewer minutes is no success."""
DAY_SECONDS = 86_400
