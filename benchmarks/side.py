"""One side of a measurement: does its work each time a line comes in, and tells seconds and peak memory.

Work that returns a number has timed itself, so that its preparations do not count.

    python -m benchmarks.side module:function ARGUMENTS
"""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import redirect_stdout
from importlib import import_module


def main(work: str, *words: str) -> None:
    """Serve until standard input ends."""
    module, _, name = work.partition(":")
    function = getattr(import_module(f"benchmarks.{module}"), name)
    for _ in sys.stdin:
        started = time.perf_counter()
        with redirect_stdout(sys.stderr):  # the answer is the only thing on standard output
            own_seconds = function(*words)
        seconds = time.perf_counter() - started if own_seconds is None else own_seconds
        peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"seconds": seconds, "peak_mib": peak_mib}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
