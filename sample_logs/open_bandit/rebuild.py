"""Rebuild the Open Bandit sample from the wheel that carries its source.

    pip download --no-deps obp==0.4.1
    python -m recsysops.sample_logs.open_bandit.rebuild --wheel obp-0.4.1-py3-none-any.whl --out DIR

The wheel is read as a zip and never installed. Every source file must have the digest in SOURCE.sha256, and nothing
is drawn at random: the same pyarrow writes the same bytes. README.md says what each column means.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import os
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

CAMPAIGNS = ("all", "men")
POLICIES = ("bts", "random")
FIRST_DAY = datetime(2019, 11, 24, tzinfo=UTC)
DIGESTS = Path(__file__).with_name("SOURCE.sha256")

_TS = pa.timestamp("us", tz="UTC")
_USER_FEATURES = [f"user_feature_{i}" for i in range(4)]
CANDIDATES = pa.schema(
    [
        ("request_id", pa.string()),
        ("ts", _TS),
        ("item_id", pa.string()),
        ("position", pa.int8()),
        ("propensity", pa.float64()),
        ("policy", pa.string()),
        ("campaign", pa.string()),
        *((name, pa.string()) for name in _USER_FEATURES),
        ("user_item_affinity", pa.float32()),
        ("user_affinity_total", pa.float32()),
    ]
)
OUTCOMES = pa.schema(
    [
        ("request_id", pa.string()),
        ("ts", _TS),
        ("item_id", pa.string()),
        ("kind", pa.string()),
        ("value", pa.float64()),
        ("origin", pa.string()),
    ]
)
ITEMS = pa.schema(
    [
        ("item_id", pa.string()),
        ("campaign", pa.string()),
        ("item_feature_0", pa.float64()),
        *((f"item_feature_{i}", pa.string()) for i in (1, 2, 3)),
        ("as_of", _TS),
    ]
)

Row = dict[str, Any]


class SourceError(Exception):
    """The wheel is not the one that this sample was made from."""


class Wheel:
    """The source files inside the wheel, each checked against its digest before it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = DIGESTS.read_text(encoding="ascii").splitlines()
        self.digests = {name: digest for digest, name in (line.split() for line in lines)}

    def rows(self, policy: str, campaign: str, file: str) -> Iterator[dict[str, str]]:
        name = f"obp/dataset/obd/{policy}/{campaign}/{file}.csv"
        try:
            with zipfile.ZipFile(self.path) as archive:
                content = archive.read(name)
        except (OSError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise SourceError(f"{self.path}: cannot read {name} ({error}); expected the wheel of obp 0.4.1") from error
        found = hashlib.sha256(content).hexdigest()
        if found != self.digests[name]:
            raise SourceError(f"{self.path}: {name} has sha256 {found}, expected {self.digests[name]}; use obp 0.4.1")
        yield from csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""))


def candidate(row: dict[str, str], policy: str, campaign: str) -> Row:
    """One source row in the words of the data contract; its row number (the unnamed first column) names the request."""
    item = row["item_id"]
    return {
        "request_id": f"{campaign}-{policy}-{int(row['']):05d}",
        "ts": datetime.fromisoformat(row["timestamp"]),
        "item_id": f"{campaign}-{item}",
        "position": int(row["position"]),
        "propensity": float(row["propensity_score"]),
        "policy": policy,
        "campaign": campaign,
        **{name: row[name] for name in _USER_FEATURES},
        "user_item_affinity": float(row[f"user-item_affinity_{item}"]),
        "user_affinity_total": sum(float(row[name]) for name in row if name.startswith("user-item_affinity_")),
    }


def outcome(shown: Row) -> Row:
    """The click on a shown item; the source has no click time, so it carries the time of its request."""
    return {name: shown[name] for name in ("request_id", "ts", "item_id")} | {
        "kind": "click",
        "value": 1.0,
        "origin": "slate",
    }


def log(wheel: Wheel) -> tuple[list[Row], list[Row]]:
    """All candidates and all outcomes, each in the order of ts, then request_id."""
    candidates: list[Row] = []
    outcomes: list[Row] = []
    for campaign in CAMPAIGNS:
        for policy in POLICIES:
            for row in wheel.rows(policy, campaign, campaign):
                candidates.append(candidate(row, policy, campaign))
                if row["click"] == "1":
                    outcomes.append(outcome(candidates[-1]))
    return sorted(candidates, key=_when), sorted(outcomes, key=_when)


def items(wheel: Wheel) -> list[Row]:
    """The catalogue, from the random policy's folder (the bts folder hashes the same item's features differently)."""
    return [
        {
            "item_id": f"{campaign}-{row['item_id']}",
            "campaign": campaign,
            "item_feature_0": float(row["item_feature_0"]),
            **{f"item_feature_{i}": row[f"item_feature_{i}"] for i in (1, 2, 3)},
            "as_of": FIRST_DAY,
        }
        for campaign in CAMPAIGNS
        for row in wheel.rows("random", campaign, "item_context")
    ]


def write_days(rows: Iterable[Row], schema: pa.Schema, folder: Path) -> None:
    days: dict[str, list[Row]] = {}
    for row in rows:
        days.setdefault(f"{row['ts']:%Y-%m-%d}", []).append(row)
    for day, found in days.items():
        write(found, schema, folder / f"day={day}" / "part-0.parquet")


def write(rows: list[Row], schema: pa.Schema, path: Path) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            pq.write_table(pa.Table.from_pylist(rows, schema=schema), file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def rebuild(wheel_path: Path, out: Path) -> None:
    """Read and check everything first, then write the three tables below `out`."""
    wheel = Wheel(wheel_path)
    catalogue = items(wheel)
    candidates, outcomes = log(wheel)
    write(catalogue, ITEMS, out / "items" / "items.parquet")
    write_days(candidates, CANDIDATES, out / "candidates")
    write_days(outcomes, OUTCOMES, out / "outcomes")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m recsysops.sample_logs.open_bandit.rebuild", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--wheel", type=Path, required=True, help="obp-0.4.1-py3-none-any.whl")
    parser.add_argument("--out", type=Path, required=True, help="folder for candidates/, outcomes/, items/")
    options = parser.parse_args(arguments)
    try:
        rebuild(options.wheel, options.out)
    except (SourceError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _when(row: Row) -> tuple[datetime, str]:
    return row["ts"], row["request_id"]


if __name__ == "__main__":
    sys.exit(main())
