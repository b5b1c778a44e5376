"""What ``ServingLogger.log`` costs the request path: 100 candidates × 50 float32 features, the writer running.

Budget: 50 µs p99 back to back. The loop alone, without a logger, stands beside it: what the machine does by itself.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from recsysops.serving import Floor, LoggerSettings, LogSchema, Rule, SamplingPlan, ServedRequest, ServingLogger

BUDGET_MICROSECONDS = 50.0
N_CANDIDATES, N_FEATURES, N_BUFFERS = 100, 50, 64
MARKETS, DEVICES = ("DK", "SE", "NO", "DE", "FR"), ("tv", "phone", "web")
SCHEMA = LogSchema(("market", "device"), tuple(f"f{one}" for one in range(N_FEATURES)), version="f-1")
PLANS: Mapping[str, SamplingPlan] = {
    "1 % with features": SamplingPlan((Rule("base", 0.01),)),
    "everything": SamplingPlan((Rule("base", 1.0),)),
    "1 % with features, 20 % thin, 15 slice rules, floors, member-days": SamplingPlan(
        (
            Rule("base", 0.01, 0.2),
            *(
                Rule(f"{market} {device}", 0.02, 0.3, {"market": [market], "device": [device]})
                for market in MARKETS
                for device in DEVICES
            ),
        ),
        (Floor("launches", 100, items=tuple(f"item-{one}" for one in range(20))), Floor("market", 50, by=("market",))),
        member_day_rate=0.001,
    ),
}


def _requests(n: int) -> Iterator[dict[str, Any]]:
    random = np.random.default_rng(0)
    features = [random.normal(size=(N_CANDIDATES, N_FEATURES)).astype(np.float32) for _ in range(N_BUFFERS)]
    places, scores = np.arange(1, N_CANDIDATES + 1), random.random(N_CANDIDATES)
    for number in range(n):
        yield {
            "request_id": f"request-{number:08d}",
            "item_id": [f"item-{(number * 7 + place * 13) % 5000}" for place in range(N_CANDIDATES)],
            "score": scores,
            "position": places,
            "features": features[number % N_BUFFERS],
            "member_id": f"member-{number % 1000}",
            "context": {"market": MARKETS[number % 5], "device": DEVICES[number % 3]},
            "model_id": "m-1",
        }


def _microseconds(n: int, log: Callable[[ServedRequest], object]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Of each request, what making and logging it took."""
    taken, clock = np.empty(n), time.perf_counter_ns
    for number, values in enumerate(_requests(n)):
        started = clock()
        log(ServedRequest(**values))
        taken[number] = clock() - started
    return taken / 1000


def _show(name: str, taken: np.ndarray[tuple[int], np.dtype[np.float64]], told: str) -> None:
    middle, high, highest = np.percentile(taken, [50, 99, 99.9])
    print(f"  {name:<66} p50 {middle:6.1f}  p99 {high:6.1f}  p99.9 {highest:8.1f} µs   {told}", flush=True)


def run(rows: int | None, *, quick: bool) -> None:
    """Measure every plan, ``rows`` requests each."""
    n = rows or (2_000 if quick else 30_000)
    print(f"  {n:,} requests back to back, {N_CANDIDATES} candidates × {N_FEATURES} float32 features")
    gc.collect()
    _show("making the request alone", _microseconds(n, lambda _: None), "")
    for name, plan in PLANS.items():
        with tempfile.TemporaryDirectory() as folder:
            logger = ServingLogger(
                folder, SCHEMA, plan, member_key=b"k" * 32, settings=LoggerSettings(rotate_seconds=2)
            )
            taken = _microseconds(n, logger.log)
            logger.close(60)
            counts = logger.counts
        kept = "met" if np.percentile(taken, 99) <= BUDGET_MICROSECONDS else "MISSED"
        told = f"budget {BUDGET_MICROSECONDS:.0f}: {kept}; logged {counts.n_written:,}, dropped {counts.n_dropped:,}"
        _show(name, taken, told)
