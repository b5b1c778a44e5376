"""What follows downstream, as patterns for the truth of a fault."""

from __future__ import annotations

CANDIDATES_AS_SUCH = "candidates.[*]"
"""Findings about the table or about items of it, which have no column; no finding about any column."""
SCORES = ("candidates.score", "candidates.raw_score")
EXPOSURE = (
    CANDIDATES_AS_SUCH,
    *(f"candidates.{name}" for name in ("raw_rank", "final_rank", "position", "shown", "propensity")),
)
"""Who is shown and where: what follows from other scores."""
CANDIDATE_MIX = (
    CANDIDATES_AS_SUCH,
    *(
        f"candidates.{name}"
        for name in ("candidate_source", "item_*", "price*", "taste_match", "*_affinity", "lang_match")
    ),
    *SCORES,
)
"""Which items are candidates: what follows from retrieval, the items' features among them."""
EMBEDDINGS = ("item_features.emb_*", "member_features.*", "candidates.taste_match")
"""Vectors; members whose tastes change are written, which changes the mix of rows in their table."""
MODELS = ("models.*",)
