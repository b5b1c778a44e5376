"""``init``: what is proposed for logs of many shapes, and that what is written can be loaded and opened."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pytest
from inspection_logs import (
    NOW,
    ODD_NAMES,
    epoch_parquet,
    flat_parquet,
    hive_parquet,
    impressions,
    items,
    odd_csv,
    outcomes,
    slates,
    sqlite_file,
    write_parquet,
)

from recsysops.config.load import load_settings
from recsysops.config.settings import WorkspaceSettings
from recsysops.errors import ConfigError, SourceError
from recsysops.inspection.infer import infer_workspace
from recsysops.inspection.values import Inference
from recsysops.inspection.yaml_writer import save_workspace, write_workspace_yaml
from recsysops.tables.open_tables import open_tables

PLAIN_ROLES = {
    "request_id": "request_id",
    "ts": "ts",
    "item_id": "item_id",
    "member_id": "user_id",
    "position": "position",
    "score": "score",
    "propensity": "pscore",
}


def infer(root: Path, *paths: str) -> Inference:
    return infer_workspace(paths, root, now=NOW)


def reloaded(inference: Inference, root: Path) -> WorkspaceSettings:
    return load_settings(save_workspace(inference, root), env=None, brand=None, environ={})


SHAPES = [flat_parquet, hive_parquet, slates, odd_csv, epoch_parquet, items, outcomes, sqlite_file]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_what_is_written_is_loaded_back_and_opens(tmp_path: Path, shape: Callable[[Path], str]) -> None:
    inference = infer(tmp_path, shape(tmp_path / "logs"))
    settings = reloaded(inference, tmp_path)
    assert settings == inference.settings
    for table in open_tables(settings, tmp_path).values():
        columns = [column.name for column in table.schema.columns]
        assert sum(batch.num_rows for batch in table.batches(table.partitions()[-1], columns)) > 0


def test_flat_files_become_one_table(tmp_path: Path) -> None:
    table = infer(tmp_path, flat_parquet(tmp_path / "logs")).settings.tables["candidates"]
    assert (table.source.path, table.source.format) == ("logs", "parquet")
    assert table.roles == PLAIN_ROLES
    assert table.slices == ["country", "device"]
    assert table.features == ["f_age", "f_pop"]
    assert table.columns["f_pop"].mask == "f_pop_is_missing"


def test_a_hive_folder_is_one_table(tmp_path: Path) -> None:
    inference = infer(tmp_path, hive_parquet(tmp_path / "logs"))
    assert inference.settings.tables["candidates"].source.path == "logs/impressions"
    assert inference.tables[0].sample.found.n_files == 3
    assert inference.settings.tables["candidates"].roles == PLAIN_ROLES


def test_a_slate_is_unnested_and_its_order_is_the_position(tmp_path: Path) -> None:
    inference = infer(tmp_path, slates(tmp_path / "logs"))
    table = inference.settings.tables["candidates"]
    assert table.unnest == ["movieIds", "predScores"]
    assert table.roles == {
        "request_id": "reqid",
        "ts": "servedAt",
        "item_id": "movieIds",
        "member_id": "customerId",
        "score": "predScores",
        "position": "_index",
    }
    assert "tables.candidates.roles.position" in {doubt.where for doubt in inference.doubts}


def test_odd_names_stay_data(tmp_path: Path) -> None:
    inference = infer(tmp_path, odd_csv(tmp_path / "logs"))
    text = write_workspace_yaml(inference)
    assert "\x1b" not in text
    assert set(ODD_NAMES) <= set(inference.settings.tables["candidates"].features)


def test_numbers_that_are_milliseconds_are_times_and_positions_from_zero_are_doubted(tmp_path: Path) -> None:
    inference = infer(tmp_path, epoch_parquet(tmp_path / "logs"))
    roles = inference.settings.tables["candidates"].roles
    assert (roles["ts"], roles["position"]) == ("eventTimestampMs", "rank")
    text = write_workspace_yaml(inference)
    assert "ts: eventTimestampMs  # ms since 1970 UTC" in text
    assert "position: rank  # unsure: it begins at 0" in text


def test_items_and_outcomes_beside_impressions(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    inference = infer(tmp_path, hive_parquet(logs), items(logs), outcomes(logs))
    tables = inference.settings.tables
    assert list(tables) == ["candidates", "outcomes", "items"]
    assert tables["items"].roles == {"item_id": "movie_id", "launch_at": "release_date", "as_of": "snapshot_date"}
    assert tables["items"].features == ["genre", "runtime"]
    assert tables["outcomes"].roles == {
        "ts": "event_time",
        "item_id": "item",
        "request_id": "impression_id",
        "kind": "event_type",
    }


def test_one_folder_of_everything_is_told_apart(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    flat_parquet(logs)
    items(logs)
    outcomes(logs)
    tables = infer(tmp_path, str(logs)).settings.tables
    assert {name: table.source.path for name, table in tables.items()} == {
        "candidates": "logs/impressions-*.parquet",
        "outcomes": "logs/events.parquet",
        "items": "logs/catalogue.parquet",
    }


def test_tables_of_a_database_file(tmp_path: Path) -> None:
    inference = infer(tmp_path, sqlite_file(tmp_path / "logs"))
    tables = inference.settings.tables
    assert {name: table.source.table for name, table in tables.items()} == {
        "candidates": "impressions",
        "outcomes": "clicks",
    }
    assert [doubt.why for doubt in inference.doubts if "settings" in doubt.where] == [
        "its columns fit no table of the contract"
    ]


def test_old_logs_are_an_archive_and_it_says_so(tmp_path: Path) -> None:
    path = flat_parquet(tmp_path / "logs")
    fresh = infer_workspace([path], tmp_path, now=NOW)
    old = infer_workspace([path], tmp_path, now=NOW + timedelta(days=30))
    assert (fresh.settings.clock, old.settings.clock) == ("wall", "archive")
    assert "clock: archive" in write_workspace_yaml(old)
    assert "the newest row is of 2026-03-03" in write_workspace_yaml(old)


def test_naive_times_are_a_doubt(tmp_path: Path) -> None:
    columns = impressions()
    columns["ts"] = [moment.replace(tzinfo=None) for moment in columns["ts"]]
    write_parquet(tmp_path / "impressions.parquet", columns)
    inference = infer_workspace([str(tmp_path / "impressions.parquet")], tmp_path, now=NOW, timezone="Europe/Oslo")
    assert [doubt.chosen for doubt in inference.doubts] == ["Europe/Oslo"]
    assert inference.doubts[0].where == "tables.candidates.timezone"


def test_clicks_in_the_candidates_are_pointed_out(tmp_path: Path) -> None:
    columns = impressions()
    columns["click"] = [row % 7 == 0 for row in range(300)]
    write_parquet(tmp_path / "impressions.parquet", columns)
    inference = infer(tmp_path, str(tmp_path / "impressions.parquet"))
    (doubt,) = inference.doubts
    assert (doubt.chosen, doubt.alternatives) == ("click", ("outcomes",))
    assert "click" not in inference.settings.tables["candidates"].features


def test_two_columns_that_fit_equally_well_are_a_doubt(tmp_path: Path) -> None:
    columns = impressions()
    columns["slot"] = columns["position"]
    columns["pos"] = columns.pop("position")
    write_parquet(tmp_path / "impressions.parquet", columns)
    (doubt,) = infer(tmp_path, str(tmp_path / "impressions.parquet")).doubts
    assert {doubt.chosen, *doubt.alternatives} == {"pos", "slot"}


def test_a_missing_required_role_is_written_as_such(tmp_path: Path) -> None:
    columns = impressions()
    del columns["request_id"]
    write_parquet(tmp_path / "impressions.parquet", columns)
    inference = infer(tmp_path, str(tmp_path / "impressions.parquet"))
    assert "# request_id: required, and no column looks like it" in write_workspace_yaml(inference)


def test_many_features_become_a_glob(tmp_path: Path) -> None:
    columns = impressions()
    columns |= {f"emb_{n}": [row * n / 7 for row in range(300)] for n in range(60)}
    write_parquet(tmp_path / "impressions.parquet", columns)
    table = infer(tmp_path, str(tmp_path / "impressions.parquet")).settings.tables["candidates"]
    assert "emb_*" in table.features


def test_more_than_six_slices_are_listed_but_not_taken(tmp_path: Path) -> None:
    columns = impressions()
    columns |= {f"dim{n}": [f"v{row % 4}" for row in range(300)] for n in range(8)}
    write_parquet(tmp_path / "impressions.parquet", columns)
    inference = infer(tmp_path, str(tmp_path / "impressions.parquet"))
    assert inference.settings.tables["candidates"].slices == ["country", "device", "dim0", "dim1", "dim2", "dim3"]
    assert "# could be slices as well: dim4, dim5, dim6, dim7" in write_workspace_yaml(inference)


def test_an_existing_workspace_is_kept(tmp_path: Path) -> None:
    inference = infer(tmp_path, flat_parquet(tmp_path / "logs"))
    (tmp_path / "recsysops.yaml").write_text("mine")
    with pytest.raises(ConfigError, match="--force"):
        save_workspace(inference, tmp_path)
    assert (tmp_path / "recsysops.yaml").read_text() == "mine"
    save_workspace(inference, tmp_path, force=True)
    assert (tmp_path / "recsysops.yaml").read_text() == write_workspace_yaml(inference)


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing", b"\x00\x01\x02", b"hello"])
def test_files_that_cannot_be_read_are_one_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.parquet").write_bytes(content)
    with pytest.raises(SourceError, match=r"broken\.parquet"):
        infer(tmp_path, str(tmp_path / "broken.parquet"))


def test_a_broken_file_beside_good_ones_is_left_out_and_named(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    hive_parquet(logs)
    (logs / "items.parquet").write_bytes(b"PAR1 and then nothing")
    inference = infer(tmp_path, str(logs))
    assert list(inference.settings.tables) == ["candidates"]
    assert "items.parquet" in inference.notes[0]


def test_nothing_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nothing-here"):
        infer(tmp_path, str(tmp_path / "nothing-here"))


def test_an_array_that_is_not_parallel_is_left_alone(tmp_path: Path) -> None:
    columns = impressions()
    columns["embedding"] = [[0.5, 1.5]] * 300
    columns["score"] = [[0.5]] * 300
    write_parquet(tmp_path / "impressions.parquet", columns)
    table = infer(tmp_path, str(tmp_path / "impressions.parquet")).settings.tables["candidates"]
    assert table.unnest == []
    assert "score" not in table.roles
    assert table.features == ["f_age", "f_pop"]


def test_rows_that_are_requests_of_their_own_are_doubted(tmp_path: Path) -> None:
    columns = impressions()
    columns["request_id"] = [f"r{row}" for row in range(300)]
    write_parquet(tmp_path / "impressions.parquet", columns)
    (doubt,) = infer(tmp_path, str(tmp_path / "impressions.parquet")).doubts
    assert "every slate is a single candidate" in doubt.why


@pytest.mark.parametrize("name", ["a\nb: c", "-dash", "# comment", "{x: y}", "a*b[c]", "día 🎬"])
def test_file_names_are_written_safely(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name} impressions.parquet"
    write_parquet(path, impressions())
    inference = infer(tmp_path, str(path))
    settings = reloaded(inference, tmp_path)
    assert settings == inference.settings
    assert (tmp_path / settings.tables["candidates"].source.path).samefile(path)


def test_a_file_name_that_is_not_text_is_left_out_or_an_error(tmp_path: Path) -> None:
    write_parquet(tmp_path / "impressions.parquet", impressions())
    try:
        (tmp_path / "impressions.parquet").rename(tmp_path / "\udcff impressions.parquet")
    except OSError:
        pytest.skip("this file system takes only names that are text")
    with pytest.raises(SourceError, match="impressions"):
        infer(tmp_path, str(tmp_path))


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_csv_that_is_not_separated_by_commas(tmp_path: Path, delimiter: str) -> None:
    table = pa.table(impressions())
    pc.write_csv(table, tmp_path / "impressions.csv", pc.WriteOptions(delimiter=delimiter))
    inference = infer(tmp_path, str(tmp_path / "impressions.csv"))
    settings = reloaded(inference, tmp_path)
    assert settings == inference.settings
    assert settings.tables["candidates"].roles == PLAIN_ROLES
    assert settings.tables["candidates"].source.options == {"delimiter": delimiter}
