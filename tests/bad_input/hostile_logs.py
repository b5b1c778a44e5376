"""The table of bad logs: what is done to the small log, one entry a kind of damage."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
from small_log import Change, Columns, candidates_path, day_columns, write_day, write_small_log

IDS = (
    "'; DROP TABLE candidates; --",
    "../../etc/passwd",
    "\x1b[2J[red]x",
    "a\x00b",
    "\u202eabc",
    "💥",
    "",
    " ",
    "x" * 5_000,
)
NAMES = (
    'quo"te',
    "it's",
    "a.b",
    "with space",
    "💥",
    "x; DROP TABLE candidates; --",
    "new\nline",
    "\x1b[31mred\x1b[0m",
    "[red]",
    "__ts",
    "*",
    "C:\\x",
    "../../up",
    "%s{0}",
    "n" * 3_000,
)

Damage = Callable[[Path], object]


def changed(change: Change, *, changed_days: tuple[int, ...] = (2,)) -> Damage:
    """The small log with other columns on the days that are named."""
    return lambda root: write_small_log(root, change, changed_days=changed_days)


def column(name: str, make: Callable[[list[Any]], Any], *, changed_days: tuple[int, ...] = (2,)) -> Damage:
    """The small log with one column made anew."""
    return changed(lambda columns: {**columns, name: make(columns[name])}, changed_days=changed_days)


def without(name: str) -> Damage:
    """The small log with one column missing on the last day."""
    return changed(lambda columns: {key: values for key, values in columns.items() if key != name})


def bytes_in_place(content: Callable[[bytes], bytes]) -> Damage:
    """The last day's file with its bytes changed."""

    def make(root: Path) -> None:
        write_small_log(root)
        path = candidates_path(root, 2)
        path.write_bytes(content(path.read_bytes()))

    return make


def arrow_day(make: Callable[[], pa.Table]) -> Damage:
    """The last day's file holds this table."""

    def write(root: Path) -> None:
        write_small_log(root)
        write_day(root, 2, make())

    return write


def csv_log(content: bytes) -> Damage:
    """Candidates as one CSV file."""

    def make(root: Path) -> None:
        write_small_log(root)
        shutil.rmtree(root / "candidates")
        (root / "candidates.csv").write_bytes(content)
        yaml = root / "recsysops.yaml"
        yaml.write_text(yaml.read_text().replace("path: candidates}", "path: candidates.csv}"))

    return make


def csv_rows(*extra: bytes) -> bytes:
    """The first day as CSV with lines added."""
    columns = day_columns(0)
    columns["ts"] = [moment.isoformat() for moment in columns["ts"]]
    rows = (",".join(str(value) for value in row).encode() for row in zip(*columns.values(), strict=True))
    return b"\n".join([",".join(columns).encode(), *rows, *extra]) + b"\n"


def named_columns(root: Path) -> None:
    """Every hostile name is a feature and a slice at once."""
    values = {name: [index % 3 for index in range(160)] for name in NAMES}
    write_small_log(root, lambda columns: {**columns, **values}, changed_days=(0, 1, 2))
    listed = json.dumps(list(NAMES), ensure_ascii=False)
    yaml = root / "recsysops.yaml"
    yaml.write_text(yaml.read_text().replace("[recency]", f"{listed}", 1).replace("[arm]", f"{listed}", 1))


def wide(n: int) -> Damage:
    """A log of very many columns, every one a feature."""

    def make(root: Path) -> None:
        many = {f"f{index}": pa.array([0.5] * 160) for index in range(n)}
        write_small_log(root, lambda columns: {**columns, **many}, changed_days=(0, 1, 2))
        yaml = root / "recsysops.yaml"
        yaml.write_text(yaml.read_text().replace("[recency]", '["f*"]', 1))

    return make


def zero_rows(columns: Columns) -> Columns:
    table = pa.table(columns).slice(0, 0)
    return {name: table.column(name) for name in table.column_names}


def first_row(columns: Columns) -> Columns:
    return {name: values[:1] for name, values in columns.items()}


def empty_folder(root: Path) -> None:
    write_small_log(root)
    shutil.rmtree(root / "candidates")
    (root / "candidates").mkdir()


def no_folder(root: Path) -> None:
    write_small_log(root)
    shutil.rmtree(root / "candidates")


def link_loop(root: Path) -> None:
    write_small_log(root)
    (root / "candidates" / "again").symlink_to(root / "candidates", target_is_directory=True)
    (root / "candidates" / "self.parquet").symlink_to("self.parquet")


def named_file(root: Path) -> None:
    write_small_log(root)
    candidates_path(root, 2).rename(candidates_path(root, 2).with_name("[red]\x1b[31m'; DROP TABLE x; --.parquet"))
    other = candidates_path(root, 1).with_name("\x1b]0;owned\x07[red].parquet")
    other.write_bytes(b"garbage")


def spread(values: list[Any], replacement: object, every: int = 10) -> list[Any]:
    return [replacement if index % every == 0 else value for index, value in enumerate(values)]


ALL = (0, 1, 2)
YEAR_1, YEAR_2999 = datetime(1, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)

LOGS: dict[str, Damage] = {
    "sound": changed(lambda columns: columns),
    # files
    "no folder": no_folder,
    "empty folder": empty_folder,
    "empty file": bytes_in_place(lambda content: b""),
    "truncated parquet": bytes_in_place(lambda content: content[:-100]),
    "corrupt parquet": bytes_in_place(lambda content: content[:200] + b"\xff" * 300 + content[500:]),
    "text as parquet": bytes_in_place(lambda content: b"PAR1" + b"junk" * 50 + b"PAR1"),
    "csv, broken row": csv_log(csv_rows(b"r,2026-03-01T00:00:00+00:00,i1")),
    "csv, not utf-8": csv_log(csv_rows(b"r,2026-03-01T00:00:00+00:00,\xff\xfe,1,0.5,1,a")),
    "csv, header alone": csv_log(b"request_id,ts,item_id,position,score,recency,arm\n"),
    "csv, empty": csv_log(b""),
    "csv, nul bytes": csv_log(csv_rows(b"r,2026-03-01T00:00:00+00:00,a\x00b,1,0.5,1,a")),
    "csv, garbage late": csv_log(csv_rows(b"r,2026-03-01T00:00:00+00:00,i1,first,lots,1,a")),
    "csv, open quote": csv_log(csv_rows(b'r,2026-03-01T00:00:00+00:00,"i1,1,0.5,1,a')),
    "csv, a column twice": csv_log(csv_rows().replace(b"recency", b"score", 1)),
    "link loop": link_loop,
    "hostile file names": named_file,
    # shapes
    "zero rows": changed(zero_rows),
    "zero rows everywhere": changed(zero_rows, changed_days=ALL),
    "one row": changed(first_row),
    "one row everywhere": changed(first_row, changed_days=ALL),
    "role column missing": without("position"),
    "required column missing": without("item_id"),
    "slice column missing": without("arm"),
    "1,000 columns": wide(1_000),
    # types
    "score as text": column("score", lambda values: [f"s{value}" for value in values]),
    "score as text everywhere": column("score", lambda values: [f"s{value}" for value in values], changed_days=ALL),
    "score as number text": column("score", lambda values: [str(value) for value in values]),
    "score as list": column("score", lambda values: [[value] for value in values]),
    "score as struct": column("score", lambda values: [{"x": value} for value in values]),
    "score as bool": column("score", lambda values: [value > 0.5 for value in values], changed_days=ALL),
    "score huge": column("score", lambda values: spread(values, 1e308), changed_days=ALL),
    "score nan and inf": column("score", lambda values: spread(spread(values, float("nan")), float("-inf"), 7)),
    "position as float": column("position", lambda values: [value + 0.5 for value in values], changed_days=ALL),
    "position negative": column("position", lambda values: [-value for value in values]),
    "position as text": column("position", lambda values: ["first"] * len(values), changed_days=ALL),
    "position as nan": column("position", lambda values: spread([float(value) for value in values], float("nan"))),
    "ts as garbage": column("ts", lambda values: ["yesterday"] * len(values)),
    "ts as garbage everywhere": column("ts", lambda values: ["yesterday"] * len(values), changed_days=ALL),
    "ts as bool": column("ts", lambda values: [True] * len(values), changed_days=ALL),
    "ts as date": column("ts", lambda values: [value.date() for value in values], changed_days=ALL),
    "item_id as float": column("item_id", lambda values: spread([1.5] * len(values), float("nan")), changed_days=ALL),
    "item_id as bytes": column("item_id", lambda values: spread([b"x"] * len(values), b"\xff\xfe"), changed_days=ALL),
    "request_id as list": column("request_id", lambda values: [[value] for value in values], changed_days=ALL),
    "decimal scores": column(
        "score", lambda values: pa.array([1] * len(values), pa.decimal128(38, 30)), changed_days=ALL
    ),
    # values
    **{
        f"{name} all null": column(name, lambda values: pa.nulls(len(values), pa.string()), changed_days=ALL)
        for name in ("request_id", "ts", "item_id", "arm")
    },
    **{
        f"{name} all null": column(name, lambda values: pa.nulls(len(values), pa.float64()), changed_days=ALL)
        for name in ("position", "score", "recency")
    },
    "null type columns": column("recency", lambda values: pa.nulls(len(values)), changed_days=ALL),
    "duplicate request ids": column("request_id", lambda values: ["same"] * len(values)),
    "one request everywhere": column("request_id", lambda values: ["same"] * len(values), changed_days=ALL),
    "hostile ids": column(
        "item_id", lambda values: [IDS[index % len(IDS)] for index in range(len(values))], changed_days=ALL
    ),
    "hostile request ids": column(
        "request_id",
        lambda values: [IDS[index // 4 % len(IDS)] + value for index, value in enumerate(values)],
        changed_days=ALL,
    ),
    "10 MB cell": column("item_id", lambda values: spread(values, "m" * 10_000_000, 1_000)),
    "10 MB slice": column("arm", lambda values: spread(values, "m" * 10_000_000, 1_000)),
    "hostile slices": column(
        "arm", lambda values: [IDS[index // 4 % len(IDS)] for index in range(len(values))], changed_days=ALL
    ),
    "300 slices": column("arm", lambda values: [f"a{index}" for index in range(len(values))], changed_days=ALL),
    "null slices": column("arm", lambda values: spread(values, None, 2), changed_days=ALL),
    "slices as floats": column("arm", lambda values: spread([0.1] * len(values), float("nan"), 2), changed_days=ALL),
    "hostile column names": named_columns,
    # clocks
    "year 2999": column("ts", lambda values: [YEAR_2999] * len(values)),
    "some of year 2999": column("ts", lambda values: spread(values, YEAR_2999)),
    "year 1": column("ts", lambda values: pa.array(spread(values, YEAR_1), pa.timestamp("us", "UTC"))),
    "NaT": column("ts", lambda values: spread(values, None), changed_days=ALL),
    "largest timestamps": column(
        "ts", lambda values: pa.array([2**63 - 1] * len(values)).view(pa.timestamp("us", "UTC"))
    ),
    "smallest timestamps": column("ts", lambda values: pa.array([-(2**63) + 1] * len(values)).view(pa.timestamp("us"))),
    "naive among zoned": column("ts", lambda values: pa.array([value.replace(tzinfo=None) for value in values])),
    "another zone": column("ts", lambda values: pa.array(values, pa.timestamp("us", "Asia/Tokyo"))),
    "unknown zone": arrow_day(
        lambda: pa.table(
            {**day_columns(2), "ts": pa.array(day_columns(2)["ts"]).cast(pa.timestamp("us", "Mars/Olympus"))}
        )
    ),
    "mixed zones as text": column(
        "ts",
        lambda values: [
            value.astimezone(timezone(timedelta(hours=index % 24 - 12))).isoformat()
            for index, value in enumerate(values)
        ],
    ),
    "epoch zero": column("ts", lambda values: [0] * len(values)),
    "epoch absurd": column("ts", lambda values: [2**62] * len(values), changed_days=ALL),
    "epoch nan": column("ts", lambda values: [float("nan")] * len(values), changed_days=ALL),
}
