"""A card as Markdown: misses and intervals in plain sight, nothing from data read as markup."""

from __future__ import annotations

import re
from dataclasses import replace

from example_cards import card, hostile, usual

from recsysops.drills.views.markdown import scorecard_markdown


def rows_below(text: str, title: str) -> list[list[str]]:
    body = text.partition(f"## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in body.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_answer_comes_first_and_misses_are_listed() -> None:
    text = scorecard_markdown(usual())
    assert text.startswith(
        "# Scorecard\n\n**Faults found in time: 3 of 6 at the stated size, 4 of 6 at 4× the stated size.**"
    )
    missed = rows_below(text, "Missed at the stated size")
    assert [row[0] for row in missed] == ["fault", "---", "silent_default", "bot_burst", "label_delay"]
    assert missed[2][3:] == ["33 % [6, 79]", "2.4 % (2×)", "PSI \\> 0.2, 3 σ, largest change"]
    assert "2026-03-14 · score moved" in text
    assert "- not planted: host_clock_skew (needs outcomes.ingested_at, which the log lacks)" in text


def test_every_share_has_its_interval_and_every_table_is_square() -> None:
    text = scorecard_markdown(usual())
    rows = rows_below(text, "Every fault, every size")
    for row in rows:
        assert len(row) == len(rows[0])
    for row in rows:
        if row[0] == "null_spike":
            assert all(re.fullmatch(r"\d+ % \[\d+, \d+\]", cell) for cell in row[3:8])


def test_hostile_text_is_text() -> None:
    text = scorecard_markdown(hostile())
    assert not re.search(r"(?<!\\)<", text)
    assert "](http" not in scorecard_markdown(replace(hostile(), what="[click](http://example.org) _me_"))
    assert "\x1b" not in text
    for title in ("Missed at the stated size", "Every fault, every size"):
        rows = rows_below(text, title)
        assert {len(row) for row in rows} <= {len(rows[0])}


def test_an_empty_card_is_a_document_too() -> None:
    assert "No fault was planted." in scorecard_markdown(card([]))
