"""Words of the command line and settings that make no sense: one line that names the word and what would be right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from honest_run import leftovers, run
from small_log import YAML, write_small_log


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound workspace that has been judged."""
    path = tmp_path_factory.mktemp("words") / "w"
    write_small_log(path)
    assert run("detect", "-w", str(path)).code == 0
    return path


def cohorts(reference: str, current: str) -> tuple[str, ...]:
    return ("compare", "--reference", reference, "--current", current)


WORDS: dict[str, tuple[tuple[str, ...], str]] = {
    "date nonsense": (("detect", "--date", "yesterday"), "yesterday"),
    "date impossible": (("detect", "--date", "2026-02-31"), "2026-02-31"),
    "date escape": (("detect", "--date", "\x1b[31m[red]"), "[red]"),
    "date without data": (("detect", "--date", "1999-01-01"), "1999-01-01"),
    "date of year 1": (("detect", "--date", "0001-01-01"), "0001-01-01"),
    "date of year 9999": (("detect", "--date", "9999-12-31"), "9999-12-31"),
    "since nonsense": (("detect", "--since", "soon"), "soon"),
    "since negative": (("detect", "--since", "-3d"), "-3d"),
    "since zero": (("detect", "--since", "0d"), "0d"),
    "since absurd": (("detect", "--since", "99999999999d"), "99999999999d"),
    "since digits of another script": (("detect", "--since", "٣d"), "٣d"),
    "since the future": (("detect", "--since", "2999-01-01"), "2999-01-01"),
    "date and since": (("detect", "--date", "2026-03-01", "--since", "1d"), "--date and --since"),
    "reference nonsense": (("detect", "--reference", "last week"), "last week"),
    "reference backwards": (("detect", "--since", "1d", "--reference", "2026-03-02..2026-03-01"), "2026-03-0"),
    "reference without data": (("detect", "--since", "1d", "--reference", "2020-01-01..2020-01-05"), "2020-01-0"),
    "reference open": (("detect", "--reference", "2026-03-01.."), "--reference"),
    "reference of all time": (("detect", "--since", "1d", "--reference", "0001-01-01..9999-12-31"), "--reference"),
    "only unknown": (("detect", "--only", "input.missing_rat"), "input.missing_rate"),
    "skip unknown": (("detect", "--skip", "nothing*"), "nothing*"),
    "column that does not exist": (cohorts("amr=a", "arm=b"), "arm"),
    "value that never occurs": (cohorts("arm=a", "arm=zebra"), "zebra"),
    "hostile value": (cohorts("arm='; DROP TABLE x; --", "arm=b"), "DROP TABLE"),
    "same cohort twice": (cohorts("arm=a", "arm=a"), "arm=a"),
    "condition without value": (cohorts("arm", "arm=b"), "--reference"),
    "empty condition": (cohorts("", "arm=b"), "--reference"),
    "position that is text": (cohorts("position=first", "position=1"), "first"),
    "init of nothing": (("init", "/nowhere/logs"), "/nowhere/logs"),
    "init of a NUL": (("init", "a\x00b"), "ab: found no such file"),
    "init zone": (("init", "{root}/candidates", "--timezone", "Mars/Olympus", "--force"), "Mars/Olympus"),
    "init over settings": (("init", "{root}/candidates"), "recsysops.yaml"),
    "detector unknown": (("detectors", "show", "input.missing_rat"), "input.missing_rate"),
    "change at nonsense": (("change", "record", "--kind", "deploy", "--at", "noon"), "noon"),
    "change rollout": (("change", "record", "--kind", "deploy", "--rollout", "1.5"), "1.5"),
    "change rollout nan": (("change", "record", "--kind", "deploy", "--rollout", "nan"), "nan"),
    "change without kind": (("change", "record", "--kind", ""), "kind"),
    "env outside": (("check", "--env", "../../etc/passwd"), "../../etc/passwd"),
    "brand unknown": (("check", "--brand", "acme"), "acme"),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_word_that_makes_no_sense_is_named(root: Path, name: str) -> None:
    words, shown = WORDS[name]
    before = (root / "recsysops.yaml").read_bytes()
    filled = [word.format(root=root) if "{root}" in word else word for word in words]
    ran = run(*filled, "-w", str(root), "--json")
    assert ran.code == 2
    assert shown in ran.message
    assert (root / "recsysops.yaml").read_bytes() == before
    assert not leftovers(root)


def replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, 1)


def added(line: str) -> Callable[[str], str]:
    return lambda text: f"{text}{line}\n"


SETTINGS: dict[str, tuple[Callable[[str], str], str]] = {
    "a list": (lambda text: "- a\n- b\n", "recsysops.yaml"),
    "empty": (lambda text: "", "recsysops.yaml"),
    "a tag that runs": (added("name2: !!python/object/apply:os.system ['touch owned']"), "tag"),
    "anchor bomb": (
        lambda text: "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)),
        "100,000",
    ),
    "duplicate key": (added("name: again"), "name"),
    "unknown key": (added("detct: {}"), "detect"),
    "wrong type": (replaced("features: [recency]", "features: recency"), "features"),
    "detector unknown": (added("detectors: {input.missing_rat: {}}"), "input.missing_rate"),
    "parameter unknown": (added("detectors: {input.missing_rate: {min_chnge: 1}}"), "min_chnge"),
    "parameter out of range": (added("detectors: {input.default_fill: {min_rate_change: 7}}"), "min_rate_change"),
    "parameter mistyped": (added("detectors: {input.default_fill: {min_rate_change: lots}}"), "min_rate_change"),
    "skip unknown": (added("skip: [input.missing_rat]"), "input.missing_rate"),
    "role without column": (replaced("score: score", "score: scroe"), "scroe"),
    "feature without column": (replaced("[recency]", "[recencies]"), "recencies"),
    "path missing": (replaced("path: candidates", "path: '[red]\\e[31m/../nowhere'"), "nowhere"),
    "state is a file": (added("state: items.parquet"), "items.parquet"),
    "format unknown": (replaced("path: candidates", "path: candidates, format: parqet"), "parquet"),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("verb", ["check", "detect"])
def test_settings_that_make_no_sense_are_named(tmp_path: Path, name: str, verb: str) -> None:
    change, shown = SETTINGS[name]
    root = tmp_path / "w"
    write_small_log(root)
    (root / "recsysops.yaml").write_text(change(YAML))
    ran = run(verb, "-w", str(root), "--json")
    assert ran.code == 2
    assert shown in ran.out
    assert not leftovers(root)
    assert not [path for path in (tmp_path / "elsewhere", root / "owned", Path("owned")) if path.exists()]
