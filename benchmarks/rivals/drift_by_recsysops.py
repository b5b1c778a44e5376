"""Distribution shift, category change and missing rates on two days of one folder, by RecSysOps. Prints JSON."""

import json
import sys
import time
from pathlib import Path

from benchmarks.judging import judging
from benchmarks.large_log import SETTINGS
from recsysops import __version__

ONLY = ("input.distribution_shift", "input.category_change", "input.missing_rate")

if __name__ == "__main__":
    started = time.perf_counter()
    with judging(Path(sys.argv[1]), SETTINGS, only=ONLY) as opened:
        judgement = opened.alone(opened.days()[-1], 1)
    seconds = time.perf_counter() - started
    told = {"seconds": seconds, "versions": f"recsysops {__version__}", "n_answers": judgement.audit.n_series}
    print(json.dumps(told))
