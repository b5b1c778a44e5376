"""Faults of vectors, training, artifacts, retrieval and ranking keep the contract of all faults."""

from __future__ import annotations

import pytest

from recsysops import registry
from recsysops.testing.check_fault import Check, fault_checks

NAMES = (
    "future_leakage", "embedding_version", "zero_vectors", "stale_training_day", "underfit", "popularity_runaway",
    "feature_order", "calibration_missing", "source_empty", "index_without_new", "recall_decay", "constant_scores",
    "timeouts", "item_boosted", "expensive_item",
)  # fmt: skip


@pytest.mark.parametrize("check", fault_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_the_contract(name: str, check: Check) -> None:
    check(registry.plugin("faults", name).load())
