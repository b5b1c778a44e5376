# /// script
# requires-python = ">=3.11"
# dependencies = ["evidently==0.7.23", "pandas<3", "pyarrow"]
# ///
"""Evidently's DataDriftPreset at its defaults, as often as it is asked.

A line of standard input is JSON: ``reference`` and ``current`` (Parquet files), ``numerical`` and ``categorical`` (names of
columns). A line of standard output answers it: ``drifted`` (the columns said to drift), ``is_dataset`` (whether the dataset
is, by the preset's own rule), ``lost`` (columns with values in the reference alone: the preset fails on those, and is
asked about the others), ``versions``.
"""

import json
import sys
import warnings

import evidently
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

VERSIONS = f"evidently {evidently.__version__}, pandas {pd.__version__}"


def ask(reference, current, numerical, categorical):
    frames = [pd.read_parquet(path, columns=[*numerical, *categorical]) for path in (current, reference)]
    gone, never = ({name for name in frame if frame[name].isna().all()} for frame in frames)
    empty = [name for name in frames[0] if name in gone | never]
    definition = DataDefinition(
        numerical_columns=[name for name in numerical if name not in empty],
        categorical_columns=[name for name in categorical if name not in empty],
    )
    sides = [Dataset.from_pandas(frame.drop(columns=empty), data_definition=definition) for frame in frames]
    whole, *columns = Report([DataDriftPreset()]).run(*sides).dict()["metrics"]
    drifted = [one["config"]["column"] for one in columns if is_drifted(one["config"], float(one["value"]))]
    count, share = float(whole["value"]["count"]), float(whole["value"]["share"])
    if count != len(drifted):  # the answer names no columns, so that this is our reading of its numbers
        raise RuntimeError(f"Evidently counts {count:g} drifted columns, its values say {drifted}")
    is_dataset = share >= whole["config"]["drift_share"]
    return {"drifted": drifted, "is_dataset": is_dataset, "lost": sorted(gone - never), "versions": VERSIONS}


def is_drifted(config, value):
    """Distances say drift from the threshold on, p-values below it."""
    is_test = "p_value" in config["method"]
    return value < config["threshold"] if is_test else value >= config["threshold"]


for line in sys.stdin:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a column that is constant has no correlation with another
        answer = ask(**json.loads(line))
    print(json.dumps(answer), flush=True)
