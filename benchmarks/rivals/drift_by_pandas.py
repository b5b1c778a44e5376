# /// script
# requires-python = ">=3.11"
# dependencies = ["pandas", "scipy", "pyarrow"]
# ///
"""Two-sample tests and missing rates, column by column, on two Parquet files: reference, current. Prints JSON."""

import json
import sys
import time

import pandas as pd
import scipy
from scipy.stats import chi2_contingency, ks_2samp

started = time.perf_counter()
names = [f"f{one}" for one in range(40)] + [f"s{one}" for one in range(10)]
reference, current = (pd.read_parquet(path, columns=names) for path in sys.argv[1:3])
answers = {}
for name in reference.columns:
    before, now = reference[name], current[name]
    if name.startswith("f"):
        p_value = ks_2samp(before.dropna(), now.dropna()).pvalue
    else:
        counts = pd.concat([before.astype(str).value_counts(), now.astype(str).value_counts()], axis=1).fillna(0)
        p_value = chi2_contingency(counts).pvalue
    answers[name] = (float(p_value), float(before.isna().mean()), float(now.isna().mean()))
seconds = time.perf_counter() - started
versions = f"scipy {scipy.__version__}, pandas {pd.__version__}"
print(json.dumps({"seconds": seconds, "versions": versions, "n_answers": len(answers)}))
