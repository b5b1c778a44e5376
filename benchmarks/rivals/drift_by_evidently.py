# /// script
# requires-python = ">=3.11"
# dependencies = ["evidently==0.7.23", "pandas<3", "pyarrow"]
# ///
"""Evidently's DataDriftPreset on two Parquet files: reference, current. Prints seconds without imports, as JSON."""

import json
import sys
import time
import warnings

import evidently
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

warnings.filterwarnings("ignore")
started = time.perf_counter()
names = [f"f{one}" for one in range(40)] + [f"s{one}" for one in range(10)]
frames = [pd.read_parquet(path, columns=names) for path in sys.argv[1:3]]
definition = DataDefinition(
    numerical_columns=[name for name in names if name.startswith("f")],
    categorical_columns=[name for name in names if name.startswith("s")],
)
reference, current = (Dataset.from_pandas(frame, data_definition=definition) for frame in frames)
answer = Report([DataDriftPreset()]).run(current, reference).dict()
seconds = time.perf_counter() - started
versions = f"evidently {evidently.__version__}, pandas {pd.__version__}"
print(json.dumps({"seconds": seconds, "versions": versions, "n_answers": len(answer["metrics"])}))
