"""A team's workspace: the state on a PostgreSQL server, the same from every machine; its password never shown."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsysops import Workspace
from recsysops.cli import main
from recsysops.incidents.location import state_location

START = datetime(2026, 3, 1, tzinfo=UTC)
YAML = """
name: "Video: São Paulo"
clock: archive
state: {url: "${STATE_URL}"}
tables:
  candidates:
    source: {path: candidates.parquet}
    roles: {request_id: request_id, ts: ts, item_id: item_id}
    features: [recency]
"""


def workspace(root: Path) -> Path:
    """Four days of logs, on the last of which a feature is lost in a third of the rows."""
    rng = np.random.default_rng(1)
    n = 1_500
    number = np.repeat(np.arange(4), n)
    seconds = rng.uniform(0, 86_399, len(number))
    times = [START + timedelta(int(day), float(second)) for day, second in zip(number, seconds, strict=True)]
    lost = (rng.random(len(number)) < 0.3) & (number == 3)
    root.mkdir()
    rows = {
        "request_id": [f"r{index // 3}" for index in range(len(number))],
        "ts": pa.array(times, pa.timestamp("us", "UTC")),
        "item_id": rng.integers(0, 30, len(number)).astype(str),
        "recency": pa.array(rng.normal(size=len(number)), mask=lost),
    }
    pq.write_table(pa.table(rows), root / "candidates.parquet")
    (root / "recsysops.yaml").write_text(YAML)
    return root


def test_what_one_machine_does_another_sees(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STATE_URL", postgres_url)
    one = workspace(tmp_path / "one")
    other = Path(shutil.copytree(one, tmp_path / "other"))
    assert Workspace(one).location.namespace == "recsysops_video_s_o_paulo"
    incident = next(each for each in Workspace(one).detect().incidents if each.entity == "candidates.recency")
    assert not (one / ".recsysops" / "state.db").exists()
    Workspace(one).desk("anna").acknowledge(incident.id)
    seen = Workspace(other).desk().show(incident.id).incident
    assert (seen.status, seen.assignee) == ("acknowledged", "anna")
    assert Workspace(other).detect().days == ()
    assert Workspace(other).detect(only=["input.missing_rate"], since="1d").days
    assert len(Workspace(one).desk().show(incident.id).entries) == 2
    capsys.readouterr()
    assert main(["incident", "list", "--json", "-w", str(other)]) == 0
    listed = {each["id"]: each for each in json.loads(capsys.readouterr().out)["incidents"]}
    assert listed[incident.id]["assignee"] == "anna"


@pytest.mark.parametrize("url", ["mysql://team:secret@host/db", "postgresql://team:secret@host:port/db"])
def test_a_wrong_url_is_one_line_and_shows_no_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    monkeypatch.setenv("STATE_URL", url)
    (tmp_path / "recsysops.yaml").write_text(YAML)
    assert main(["incident", "list", "-w", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "state.url" in error
    assert "secret" not in error.replace("a secret of another type", "")


def test_names_of_schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_URL", "postgresql://team@host/db")
    (tmp_path / "recsysops.yaml").write_text(YAML.replace('"${STATE_URL}"', '"${STATE_URL}", namespace: shop'))
    location = state_location(Workspace(tmp_path).settings, tmp_path)
    assert (location.namespace, location.folder, location.is_server) == ("shop", tmp_path / ".recsysops", True)
    assert "team" not in repr(location)
