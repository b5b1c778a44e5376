"""The page of a diagnosis: the answer first, every step, the numbers of the evidence, nothing fetched, data shown as text."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from page_outline import Outline, plain

from recsysops import Workspace, sample_logs
from recsysops.cases.diagnosis import Diagnosis
from recsysops.cases.evidence import Evidence, unknown
from recsysops.reporting.diagnosis_page import diagnosis_page, write_diagnosis_page
from recsysops.reporting.gap_plot import signed
from recsysops.reporting.numbers import interval, number, percent

HOSTILE = "\x1b[31m<script>alert(1)</script>\x1b[0m\u202e\"' [red]"
SHOWN = "<script>alert(1)</script>\"' [red]"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Diagnosis:
    root = tmp_path_factory.mktemp("diagnosed") / "streaming"
    shutil.copytree(sample_logs.path("streaming"), root, ignore=shutil.ignore_patterns(".recsysops"))
    return Workspace(root).diagnose_item("123")


def rows_of(found: Diagnosis, step: str) -> tuple[Mapping[str, Any], ...]:
    evidence = found.step(step)
    assert evidence is not None
    return evidence.rows


def test_the_first_screen_is_the_answer(real: Diagnosis) -> None:
    page = plain(diagnosis_page(real))
    assert re.findall(r"<h1>(.*)</h1>", page) == ["Input fault, upstream: items.original_language 'nb' → 'fo'"]
    assert real.verdict.proof is not None
    answers = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))
    assert answers["proof"] == real.verdict.proof.words
    assert answers["since"].startswith("2026-10-28 00:00 UTC, 4 days before the end")
    assert answers["owner"] == (real.owner or "nobody is declared for it")
    shown = next(row for row in rows_of(real, "item.path") if row["stage"] == "shown")
    assert percent(shown["now"]).replace("\u00a0", " ") in answers["impact"]
    assert (
        page.index("<h1>") < page.index("recsysops peers 123") < page.index("What was looked at") < page.index("<svg")
    )


def test_every_step_is_there_with_what_it_says(real: Diagnosis) -> None:
    page = plain(diagnosis_page(real))
    assert len(real.evidence) >= 5
    for one in real.evidence:
        assert page.count(f"({one.step})") == 1
        assert page.count(plain(one.headline)) >= 2
        for sign in one.signs:
            assert sign.words in page


def test_the_numbers_are_those_of_the_diagnosis(real: Diagnosis) -> None:
    texts = set(Outline(diagnosis_page(real)).texts)
    gap = real.step("item.gap")
    assert gap is not None
    for row in gap.rows:
        assert {row["feature"], signed(row["phi"]), interval(row["low"], row["high"])} <= texts
    assert {signed(gap.figures["total"]), number(gap.rows[0]["item"])} <= texts
    for row in rows_of(real, "item.path"):
        unit = number if row["stage"] == "moved" else percent
        assert {unit(row[key]) for key in ("now", "before", "peers")} <= texts
        assert {unit(value) for value in row["series"]} <= texts
    (fact,) = rows_of(real, "item.facts")
    assert f"{number(fact['gap'])} {interval(fact['gap_low'], fact['gap_high'])}" in texts
    closes = [f"{100 * fact[key]:.0f}" for key in ("closes", "closes_low", "closes_high")]
    assert "{}\u00a0% [{},\u00a0{}]".format(*closes) in texts
    for row in (*rows_of(real, "item.replay"), *rows_of(real, "item.changes")):
        assert (row.get("source") or row.get("scope")) in texts


def test_the_timeline_draws_the_figures_of_the_path(real: Diagnosis) -> None:
    path = real.step("item.path")
    assert path is not None
    page = plain(diagnosis_page(real))
    for stage in ("retrieved", "rank", "shown"):
        (row,) = (row for row in path.rows if row["stage"] == stage)
        assert row["series"] == pytest.approx(path.figures[stage], nan_ok=True)
        for day, value in zip(path.figures["days"], row["series"], strict=True):
            if math.isfinite(value):
                assert f"<title>{day}: {plain(percent(value))}</title>" in page
    for place, row in enumerate(rows_of(real, "item.changes"), 1):
        hint = f"{place}: {row['ts'][:16].replace('T', ' ')} {row['kind']} {row['scope']}"
        assert f"<title>{hint}</title>" in page
    assert "items.original_language changed 2026-10-28 00:00</text>" in page


def test_the_page_is_well_formed_and_fetches_nothing(real: Diagnosis, tmp_path: Path) -> None:
    write_diagnosis_page(real, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    outline = Outline(page)
    assert outline.open == []
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in outline.elements}
    assert not {"src", "href", "srcset", "style"} & {name for _, attributes in outline.elements for name in attributes}
    assert "http" not in page.replace("http-equiv", "")
    assert "url(" not in page
    assert "prefers-color-scheme: dark" in page


def test_every_drawing_says_what_it_shows_and_has_a_table(real: Diagnosis) -> None:
    page = diagnosis_page(real)
    timeline, funnel, gap = Outline(page).drawings
    assert "shown" in timeline
    assert "2026-10-28 00:00" in timeline.replace("\u00a0", " ")
    assert "median peer" in funnel
    assert "lang_match" in gap
    for after in page.split("</figure>")[1:]:
        assert "<table" in after.partition("<h2>")[0]


def test_data_is_text(real: Diagnosis) -> None:
    steps = [
        replace(
            one,
            headline=HOSTILE,
            query=HOSTILE,
            signs=tuple(replace(sign, words=HOSTILE) for sign in one.signs),
            rows=tuple(row | dict.fromkeys({"feature", "scope", "now", "odd_with", "source"} & set(row), HOSTILE) for row in map(dict, one.rows)),
        )
        if one.step != "item.path"
        else one
        for one in real.evidence
    ]  # fmt: skip
    found = replace(
        real, subject=HOSTILE, about={"title": HOSTILE, HOSTILE: HOSTILE}, owner=HOSTILE, next=(f"peers {HOSTILE}",),
        evidence=(*steps, Evidence(HOSTILE, "normal", HOSTILE, (), {HOSTILE: HOSTILE}, ({HOSTILE: [HOSTILE]},)), unknown(HOSTILE, HOSTILE)),
        verdict=replace(real.verdict, words=HOSTILE, stage=HOSTILE),
    )  # fmt: skip
    page = diagnosis_page(found)
    outline = Outline(page)
    assert outline.open == []
    assert "<script" not in page
    assert not {"\x1b", "\u202e"} & set(page)
    assert sum(SHOWN in one for one in outline.texts) > 20
    assert all("\x1b" not in one for one in outline.drawings)


def test_a_command_that_makes_this_very_page_is_left_out(real: Diagnosis) -> None:
    assert any("--html" in one for one in real.next)
    assert "--html" not in diagnosis_page(real)


def test_a_step_that_tells_other_things_is_shown_plainly(real: Diagnosis) -> None:
    other = Evidence("item.gap", "normal", "another gap", (), {}, ({"trait": "lang_match", "part": 0.25},))
    steps = tuple(other if one.step == "item.gap" else one for one in real.evidence)
    outline = Outline(diagnosis_page(replace(real, evidence=steps)))
    assert len(outline.drawings) == 2
    assert {"trait", "lang_match", "0.25"} <= set(outline.texts)


def test_what_was_never_logged_has_no_drawing(real: Diagnosis) -> None:
    steps = tuple(unknown(one.step, "the item is in no logged request") for one in real.evidence)
    outline = Outline(diagnosis_page(replace(real, evidence=steps)))
    assert outline.drawings == []
    assert outline.texts.count("could not look") == 2 * len(steps) + 1
