"""A source of somebody else's is found by entry point, by the same path as the built-in ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pyarrow as pa
import pytest
from table_files import candidates, table_rows

from recsysops import registry
from recsysops.config.settings import SourceSettings, TableSettings
from recsysops.tables.open_tables import open_table
from recsysops.tables.source import Partition, Source


class Counting:
    """Numbers instead of files."""

    def __init__(self, settings: SourceSettings, root: Path) -> None:
        self.n_partitions = int(settings.path)

    def partitions(self) -> tuple[Partition, ...]:
        return tuple(Partition(str(index), f"v{index}") for index in range(self.n_partitions))

    def schema(self, partition: Partition) -> pa.Schema:
        return pa.schema({"request_id": pa.int64(), "ts": pa.int64(), "item_id": pa.int64()})

    def batches(self, partition: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        number = int(partition.key)
        row = {"request_id": [number], "ts": [1_767_355_200 + number], "item_id": [number]}
        yield pa.RecordBatch.from_pydict(row).select(list(columns))

    def parquet_path(self, partition: Partition) -> Path | None:
        return None


def test_an_installed_source_reads_like_a_built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("counting", f"{__name__}:Counting", "recsysops.sources")
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == "recsysops.sources" else [])
    roles = {"request_id": "request_id", "ts": "ts", "item_id": "item_id"}
    settings = TableSettings(source=SourceSettings(path="3", format="counting"), roles=roles)
    table = open_table("candidates", settings, "UTC", tmp_path)
    assert isinstance(table.source, Source)
    assert [row["item_id"] for row in table_rows(table, ["item_id", "ts"])] == [0, 1, 2]


def test_opening_tables_loads_no_pandas(tmp_path: Path) -> None:
    """What is heavy is loaded where it is used."""
    code = "import sys, recsysops.tables.snapshots, recsysops.tables.open_tables; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_sample_logs_need_no_conversion() -> None:
    import recsysops.sample_logs.open_bandit as sample

    root = Path(str(sample.__file__)).parent
    table = candidates(root, "candidates", roles={"propensity": "propensity"}, slices=["campaign", "policy"])
    columns = ["request_id", "ts", "item_id", "propensity", "policy", "campaign"]
    assert all(table.parquet_path(partition, columns) for partition in table.partitions())
    assert len(table_rows(table.filtered("policy", "random"), ["item_id"])) == 20_000
