"""What the recommender itself imports: standard library and numpy only, nothing of ours above it.

The names below are loaded on first use, so that a part costs only itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recsysops.serving.allocation import allocate as allocate
    from recsysops.serving.allocation import n_min as n_min
    from recsysops.serving.counters import read_counts as read_counts
    from recsysops.serving.estimation import Clusters as Clusters
    from recsysops.serving.estimation import hajek as hajek
    from recsysops.serving.estimation import horvitz_thompson as horvitz_thompson
    from recsysops.serving.exploration import explore as explore
    from recsysops.serving.log_schema import LogSchema as LogSchema
    from recsysops.serving.logger_settings import LoggerSettings as LoggerSettings
    from recsysops.serving.member_ids import keyed_id as keyed_id
    from recsysops.serving.plan import Floor as Floor
    from recsysops.serving.plan import Rule as Rule
    from recsysops.serving.plan import SamplingPlan as SamplingPlan
    from recsysops.serving.plan_document import plan_text as plan_text
    from recsysops.serving.plan_document import read_plan as read_plan
    from recsysops.serving.served_request import ServedRequest as ServedRequest
    from recsysops.serving.serving_logger import ServingLogger as ServingLogger
    from recsysops.serving.slice_coverage import coverage as coverage

_LAZY = {
    "Clusters": "estimation",
    "Floor": "plan",
    "LogSchema": "log_schema",
    "LoggerSettings": "logger_settings",
    "Rule": "plan",
    "SamplingPlan": "plan",
    "ServedRequest": "served_request",
    "ServingLogger": "serving_logger",
    "allocate": "allocation",
    "coverage": "slice_coverage",
    "explore": "exploration",
    "hajek": "estimation",
    "horvitz_thompson": "estimation",
    "keyed_id": "member_ids",
    "n_min": "allocation",
    "plan_text": "plan_document",
    "read_counts": "counters",
    "read_plan": "plan_document",
}
__all__ = sorted(_LAZY)


def __getattr__(name: str) -> Any:
    """Load a public name from its module the first time it is asked for (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


def __dir__() -> list[str]:
    return __all__
