"""The rebuild script refuses a wrong wheel, leaves nothing half-written, and makes the shipped tables again."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsysops.sample_logs import path
from recsysops.sample_logs.open_bandit import rebuild

FOLDER = path("open_bandit")
SOURCE = "obp/dataset/obd"


def test_a_changed_source_is_refused_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = tmp_path / "obp.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{SOURCE}/random/all/item_context.csv", ",item_id\n0,0\n")
    assert rebuild.main(["--wheel", str(wheel), "--out", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert f"{SOURCE}/random/all/item_context.csv has sha256" in message
    assert "use obp 0.4.1" in message
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [None, b"", b"not a zip"], ids=["missing", "empty", "no_zip"])
def test_no_wheel_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None) -> None:
    wheel = tmp_path / "obp.whl"
    if content is not None:
        wheel.write_bytes(content)
    assert rebuild.main(["--wheel", str(wheel), "--out", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"{wheel}: cannot read")
    assert message.count("\n") == 1


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    schema = pa.schema([("n", pa.int8())])
    file = tmp_path / "new" / "part-0.parquet"
    rebuild.write([{"n": 1}], schema, file)
    before = file.read_bytes()
    with pytest.raises(pa.ArrowInvalid):
        rebuild.write([{"n": 1000}], schema, file)
    assert file.read_bytes() == before
    assert [entry.name for entry in file.parent.iterdir()] == ["part-0.parquet"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real wheel, fetched by pip."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = shutil.which("pip")
    if pip is None:
        pytest.skip("no pip on the PATH to download obp 0.4.1 with")
    command = [
        pip,
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--dest",
        str(folder),
        "obp==0.4.1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"pip could not download obp 0.4.1: {done.stderr.strip().splitlines()[-1:]}")
    return folder / "obp-0.4.1-py3-none-any.whl"


@pytest.mark.slow
def test_the_wheel_gives_the_shipped_tables_again(wheel: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", rebuild.__name__, "--wheel", str(wheel), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    made = sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("*.parquet"))
    assert made == sorted(file.relative_to(FOLDER) for file in FOLDER.rglob("*.parquet"))
    for file in made:
        again, shipped = pq.ParquetFile(tmp_path / file).read(), pq.ParquetFile(FOLDER / file).read()
        assert again.equals(shipped, check_metadata=True), file


@pytest.mark.slow
def test_two_rebuilds_are_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    for name in ("first", "second"):
        rebuild.rebuild(wheel, tmp_path / name)
    for file in (tmp_path / "first").rglob("*.parquet"):
        assert file.read_bytes() == (tmp_path / "second" / file.relative_to(tmp_path / "first")).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["bts", "random"])
@pytest.mark.parametrize("campaign", ["all", "men"])
def test_every_shipped_value_is_the_sources(wheel: Path, tmp_path: Path, policy: str, campaign: str) -> None:
    """DuckDB reads the source's CSV by itself; no line of the rebuild script is used."""
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"{SOURCE}/{policy}/{campaign}/{campaign}.csv").decode()
    source = tmp_path / "source.csv"
    source.write_text(f"n{text}", encoding="utf-8")  # a name for the unnamed first column
    query = f"""
        WITH wide AS (FROM read_csv($source)),
        affinity AS (
            SELECT n, sum(a) AS total, sum(a) FILTER (name = 'user-item_affinity_' || item_id) AS of_item
            FROM (UNPIVOT wide ON COLUMNS('user-item_affinity_.*') INTO NAME name VALUE a) GROUP BY n
        )
        SELECT count(*), count(*) FILTER (
            c.ts = timestamp AND c.item_id = '{campaign}-' || w.item_id AND c.position = w.position
            AND c.propensity = propensity_score::DOUBLE AND (o.request_id IS NOT NULL) = (click = 1)
            AND c.user_feature_0 = w.user_feature_0 AND c.user_feature_1 = w.user_feature_1
            AND c.user_feature_2 = w.user_feature_2 AND c.user_feature_3 = w.user_feature_3
            AND user_item_affinity = of_item AND user_affinity_total = total
        )
        FROM wide w JOIN affinity USING (n)
        JOIN '{FOLDER}/candidates/*/*.parquet' c ON request_id = format('{campaign}-{policy}-{{:05d}}', w.n)
        LEFT JOIN '{FOLDER}/outcomes/*/*.parquet' o USING (request_id)
    """
    assert duckdb.execute(query, {"source": str(source)}).fetchall() == [(10_000, 10_000)]


@pytest.mark.slow
@pytest.mark.parametrize("campaign", ["all", "men"])
def test_both_catalogues_group_the_items_alike(wheel: Path, campaign: str) -> None:
    """What the README says of the hashed item attributes, and why one catalogue serves both policies."""
    random, bts = (_catalogue(wheel, policy, campaign) for policy in ("random", "bts"))
    assert random["item_id"] == bts["item_id"]
    assert random["item_feature_0"] == bts["item_feature_0"]
    for name in ("item_feature_1", "item_feature_2", "item_feature_3"):
        assert not set(random[name]) & set(bts[name])
        pairs = set(zip(random[name], bts[name], strict=True))
        assert len(pairs) == len(set(random[name])) == len(set(bts[name]))


def _catalogue(wheel: Path, policy: str, campaign: str) -> dict[str, list[str]]:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"{SOURCE}/{policy}/{campaign}/item_context.csv").decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    return {name: [row[name] for row in rows] for name in rows[0]}
