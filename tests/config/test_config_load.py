"""Settings from files: layers, variables, and every way a file can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsysops.config.load import find_workspace, load_settings
from recsysops.config.settings import WorkspaceSettings
from recsysops.errors import ConfigError

BASE = """
tables:
  candidates:
    source: {path: logs}
    roles: {request_id: rid, ts: t, item_id: i}
"""


def load(
    tmp_path: Path, text: str | bytes, environ: dict[str, str] | None = None, **overlays: str | None
) -> WorkspaceSettings:
    path = tmp_path / "recsysops.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    env, brand = overlays.get("env"), overlays.get("brand")
    return load_settings(path, env=env, brand=brand, environ=environ or {})


def bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    return "\n".join(lines)


BROKEN: list[tuple[str, str | bytes, str]] = [
    ("a list", "- a\n- b", r":1:1: found a list, expected a mapping"),
    ("empty", "", r"found nothing, expected a mapping"),
    ("a scalar", "hello", r"found a str"),
    ("python tag", "name: !!python/object/apply:os.system ['true']", r":1:7: found the tag 'tag:yaml.org,2002:python"),
    ("own tag", "name: !foo bar", r":1:7: found the tag '!foo'"),
    ("harmless tag", "name: !!str bar", r"found the tag"),
    ("two documents", "name: a\n---\nname: b", r":2:1: found a second document"),
    ("duplicate keys", "name: a\nversion: 1\nname: b", r":3:1: found the key 'name' a second time"),
    ("nested duplicate", BASE + "    roles: {}\n", r":6:5: found the key 'roles' a second time"),
    ("number as key", "1: a", r":1:1: found a key that is not a string"),
    ("list as key", "[a]: b", r":1:1: found a key that is not a string"),
    ("alias bomb", bomb(), r":\d+:\d+: found more than 100,000 values"),
    ("alias to itself", "a: &a [*a]", r"found an alias to 'a'"),
    ("unknown alias", "a: *b", r"found an alias to 'b'"),
    ("deep nesting", "a: " + "[" * 5000, r"nesting deeper than 40"),
    ("unclosed", "a: [b", r":1:\d+: found .*, expected valid YAML"),
    ("tab", "a:\n\t- b", r":2:1: found"),
    ("binary", bytes(range(256)), r"is not UTF-8"),
    ("NUL", "name: a\x00b", r":1:8: found a character that YAML does not allow"),
    ("huge number", "version: " + "9" * 5000, r"too many digits"),
    ("ten megabytes", b"# " + b"x" * 10_000_000, r"found 10,000,002 bytes, expected at most 1,048,576"),
    ("no tables", "name: a", r"tables: found nothing, expected a value"),
    ("unknown key", BASE + "nmae: a", r"nmae: found an unknown key, .*; did you mean name\?"),
    ("unknown nested key", BASE + "    featuers: [a]", r"tables.candidates.featuers: .*; did you mean features\?"),
    ("unknown key in a section", BASE + "detect: {reference_day: 3}", r"detect.reference_day: .* reference_days\?"),
    ("unknown column key", BASE + "    columns: {x: {defualt: 1}}", r"columns.x.defualt: .*did you mean default\?"),
    ("unknown table", BASE + "  outcome: {source: {path: x}, roles: {}}", r"tables.outcome: .*did you mean outcomes\?"),
    ("unknown role", BASE.replace("rid,", "rid, positon: p,"), r"roles.positon: .*did you mean position\?"),
    ("wrong type", BASE + "    features: x", r"tables.candidates.features: found 'x', expected a valid list"),
    ("wrong role type", BASE.replace("rid", "5"), r"roles.request_id: found 5, expected a valid string"),
    ("wrong choice", BASE + "clock: sometimes", r"clock: found 'sometimes', expected 'wall' or 'archive'"),
    ("out of range", BASE + "detect: {reference_days: 0}", r"found 0, expected greater than or equal to 1"),
    ("wrong scalar", BASE.replace("path: logs", "path: logs, options: {x: [1]}"), r"options.x: found \[1\], expected"),
    ("time zone", BASE + "timezone: Mars/Olympus", r"timezone: found 'Mars/Olympus', expected a time zone"),
    ("escaping time zone", BASE + "timezone: ../../etc/passwd", r"expected a time zone"),
    ("variable in a name", BASE + "name: ${HOME}", r"name: found \${ in '\${HOME}'.*write \$\${"),
    ("variable in a key", BASE + "    columns: {'${A}': {}}", r"columns: found \${ in"),
    ("missing variable", BASE + "state: ${NOPE}/x", r"state: found \${NOPE}, which is not set; export NOPE="),
    ("broken variable", BASE + "state: ${1}", r"state: found a broken variable"),
    ("escape sequence", BASE + '"\\e[31mred": 1', r"'\\x1b\[31mred': found an unknown key"),
    ("extends of a number", BASE + "extends: 3", r"extends: found 3, expected a path"),
    ("extends nothing", BASE + "extends: base.yaml", r"base.yaml: found no such file"),
    ("extends itself", BASE + "extends: recsysops.yaml", r"comes back to itself"),
    ("extends outside", BASE + "extends: ../../etc/passwd", r"expected a file inside the workspace"),
    ("extends absolute", BASE + "extends: /etc/passwd", r"expected a file inside the workspace"),
]


@pytest.mark.parametrize(("text", "message"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_every_broken_file_is_one_clear_error(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load(tmp_path, text)
    assert "recsysops.yaml" in str(caught.value) or "base.yaml" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_all_problems_are_listed_at_once_one_line_each(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "nmae: a\nclock: x\ntables: {candidates: {roles: {}}}")
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("found 3 problems:")
    assert [line.split(":")[0].strip() for line in lines[1:]] == [
        "(1) clock",
        "(2) tables.candidates.source",
        "(3) nmae",
    ]


def test_a_secret_of_the_wrong_type_is_not_shown(tmp_path: Path) -> None:
    text = BASE.replace("path: logs", "path: logs, options: {password: [hunter2]}")
    with pytest.raises(ConfigError, match="a secret") as caught:
        load(tmp_path, text)
    assert "hunter2" not in str(caught.value)


def test_scalars_are_read_as_people_mean_them(tmp_path: Path) -> None:
    text = BASE + "    slices: [no, on, 2020-01-01, 12:30, '5']\n    columns: {y: {default: 010}}\nname: 1_000"
    settings = load(tmp_path, text)
    assert settings.tables["candidates"].slices == ["no", "on", "2020-01-01", "12:30", "5"]
    assert settings.tables["candidates"].columns["y"].default == 10
    assert settings.name == "1_000"


def test_base_brand_and_environment_are_laid_over_one_another(tmp_path: Path) -> None:
    for folder in ("brands", "environments", "shared"):
        (tmp_path / folder).mkdir()
    (tmp_path / "shared/base.yaml").write_text("name: base\nskip: [a, b]\ndetect: {seed: 1, grace_hours: 1}")
    (tmp_path / "brands/kids.yaml").write_text("extends: ../shared/kids.yaml\nname: kids")
    (tmp_path / "shared/kids.yaml").write_text("name: shadowed\ndetect: {grace_hours: 2}")
    (tmp_path / "environments/prod.yaml").write_text("skip: [c]\ndetect: {fail_on: critical}")
    settings = load(tmp_path, BASE + "extends: [shared/base.yaml]\ndetect: {seed: 5}", env="prod", brand="kids")
    assert (settings.name, settings.skip) == ("kids", ["c"])
    assert (settings.detect.seed, settings.detect.grace_hours, settings.detect.fail_on) == (5, 2, "critical")


def test_two_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml")
    (tmp_path / "b.yaml").write_text("extends: a.yaml")
    with pytest.raises(ConfigError, match=r"a\.yaml → b\.yaml → a\.yaml"):
        load(tmp_path, BASE + "extends: a.yaml")


def test_a_file_may_be_extended_twice_without_being_a_loop(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("name: base")
    (tmp_path / "a.yaml").write_text("extends: base.yaml")
    (tmp_path / "b.yaml").write_text("extends: base.yaml")
    assert load(tmp_path, BASE + "extends: [a.yaml, b.yaml]").name == "base"


def test_a_link_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("name: outside")
    inside = tmp_path / "workspace"
    inside.mkdir()
    (inside / "base.yaml").symlink_to(outside)
    with pytest.raises(ConfigError, match="inside the workspace"):
        load(inside, BASE + "extends: base.yaml")


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").symlink_to(tmp_path / "base.yaml")
    with pytest.raises(ConfigError, match=r"base\.yaml"):
        load(tmp_path, BASE + "extends: base.yaml")


@pytest.mark.parametrize("name", ["../secret", "a/b", "", "a.b", "x\n", "é"])
def test_names_of_overlays_cannot_leave_their_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="letters, digits"):
        load(tmp_path, BASE, env=name)


def test_an_unknown_overlay_names_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "brands").mkdir()
    (tmp_path / "brands/kids.yaml").write_text("name: kids")
    with pytest.raises(ConfigError, match="expected one of kids"):
        load(tmp_path, BASE, brand="kid")


def test_variables_fill_paths_and_secrets_once(tmp_path: Path) -> None:
    text = BASE.replace("path: logs", "path: '${LOGS}/x/${DAY}', options: {api_token: '${T}', note: '$${T} $$${T}'}")
    settings = load(tmp_path, text + "state: ${STATE}", {"LOGS": "/logs", "DAY": "1", "T": "${T}", "STATE": "s"})
    source = settings.tables["candidates"].source
    assert source.path == "/logs/x/1"
    assert source.options == {"api_token": "${T}", "note": "${T} $${T}"}
    assert settings.state.folder == "s"


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="recsysops init"):
        load_settings(tmp_path / "recsysops.yaml", env=None, brand=None, environ={})


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a regular file"):
        load_settings(tmp_path, env=None, brand=None, environ={})


def test_the_workspace_is_the_nearest_folder_upward(tmp_path: Path) -> None:
    below = tmp_path / "a/b"
    below.mkdir(parents=True)
    (tmp_path / "recsysops.yaml").write_text(BASE)
    assert find_workspace(below) == find_workspace(tmp_path / "recsysops.yaml") == tmp_path.resolve()
    (tmp_path / "a/recsysops.yaml").write_text(BASE)
    assert find_workspace(below) == (tmp_path / "a").resolve()


def test_without_a_workspace_the_error_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="recsysops init"):
        find_workspace(Path("/proc/1"))
