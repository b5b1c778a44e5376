"""The steps of an item's diagnosis, each with the drawings and tables that fit what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from recsysops.cases.diagnosis import Diagnosis
from recsysops.cases.evidence import Evidence
from recsysops.reporting.drawing import known
from recsysops.reporting.facts_table import facts_table, suspect_fact
from recsysops.reporting.funnel_plot import COMPARED, funnel_plot
from recsysops.reporting.gap_plot import gap_plot, signed
from recsysops.reporting.item_stages import stage_of
from recsysops.reporting.lines import Column
from recsysops.reporting.numbers import count, interval, number
from recsysops.reporting.page_table import PageTable, plain_table
from recsysops.reporting.plain import literal
from recsysops.reporting.stamps import stamp_text, when
from recsysops.reporting.step_section import Part, Section, plain_section
from recsysops.reporting.timeline_plot import Moment, timeline_plot

TITLES: Mapping[str, str] = {
    "item.path": "Where it is lost",
    "item.facts": "Facts that may be wrong",
    "item.gap": "Why the model rates it as it does",
    "item.replay": "Replay, and features beside their sources",
    "item.changes": "Recorded changes",
}


def section(diagnosis: Diagnosis, evidence: Evidence) -> Section:
    """A step's section; a plain one where the step is not known here, or tells other things than this page can draw."""
    plain = plain_section(evidence)
    draw = _PARTS.get(evidence.step)
    if draw is None or not evidence.rows:
        return replace(plain, title=TITLES.get(evidence.step, evidence.step))
    try:
        return Section(TITLES[evidence.step], evidence, draw(diagnosis, evidence))
    except KeyError:
        return replace(plain, title=TITLES[evidence.step])


def _path(diagnosis: Diagnosis, evidence: Evidence) -> tuple[Part, ...]:
    days = [date.fromisoformat(day) for day in evidence.figures["days"]]
    drawing = timeline_plot(days, evidence.rows, diagnosis.window.start, _changes(diagnosis), _onset(diagnosis))
    return Part(_days_table(days, evidence), drawing), Part(_stages_table(evidence), funnel_plot(evidence.rows))


def _changes(diagnosis: Diagnosis) -> dict[int, Moment]:
    """The recorded changes by the number that their table gives them."""
    step = diagnosis.step("item.changes")
    rows = step.rows if step is not None else ()
    return {
        number: Moment(when(row["ts"]), f"{stamp_text(row['ts'])} {row['kind']} {row['scope']}")
        for number, row in enumerate(rows, 1)
    }


def _onset(diagnosis: Diagnosis) -> Moment | None:
    fact = suspect_fact(diagnosis)
    if fact is None or fact["since"] is None:
        return None
    return Moment(when(fact["since"]), f"{fact['entity']} changed {stamp_text(fact['since'])}")


def _days_table(days: list[date], evidence: Evidence) -> PageTable:
    columns = [Column("day", tuple(map(str, reversed(days))))]
    for row in evidence.rows:
        values = tuple(stage_of(row["stage"]).value(value) for value in reversed(row["series"]))
        columns.append(Column(literal(row["stage"], 40), values, is_number=True))
    return PageTable("The numbers by day, newest first", tuple(columns), is_folded=True)


def _stages_table(evidence: Evidence) -> PageTable:
    stages = [(row, stage_of(row["stage"])) for row in evidence.rows]
    columns = [
        Column("stage", tuple(literal(row["stage"], 40) for row, _ in stages)),
        Column("what is counted", tuple(stage.words for _, stage in stages)),
    ]
    for key, words in COMPARED.items():
        columns.append(Column(words, tuple(stage.value(row[key]) for row, stage in stages), is_number=True))
    return PageTable("Stages: the last three days, the week before them, and the median of its peers", tuple(columns))


def _facts(diagnosis: Diagnosis, evidence: Evidence) -> tuple[Part, ...]:
    return (Part(facts_table(evidence.rows)),)


def _gap(diagnosis: Diagnosis, evidence: Evidence) -> tuple[Part, ...]:
    rows = evidence.rows
    columns = (
        Column("feature", tuple(literal(row["feature"], 80) for row in rows)),
        Column("part of the gap", tuple(signed(row["phi"]) for row in rows), is_number=True),
        Column("95 % interval", tuple(interval(row.get("low"), row.get("high")) for row in rows), is_number=True),
        Column("median of the item", tuple(number(known(row["item"])) for row in rows), is_number=True),
        Column("median of the reference", tuple(number(known(row["reference"])) for row in rows), is_number=True),
    )
    table = PageTable("The numbers of every feature", columns, is_folded=True)
    return (Part(table, gap_plot(rows, evidence.figures)),)


def _replay(diagnosis: Diagnosis, evidence: Evidence) -> tuple[Part, ...]:
    """Scores, where some were replayed; then the features as the step tells them."""
    n = evidence.figures.get("n_rows", 0)
    found = {key: bad for key, bad in evidence.figures.items() if key.endswith("_mismatches")}
    scores = PageTable(
        f"Scores of {count(n, 'row')}, replayed by the logged model",
        (
            Column("score", tuple(literal(key.removesuffix("_mismatches"), 40) for key in found)),
            Column(
                "not what the model gives again", tuple(f"{bad:,} of {n:,}" for bad in found.values()), is_number=True
            ),
        ),
    )
    features = plain_table("Features beside their sources as of the request", evidence.rows, is_folded=True)
    return (*([Part(scores)] if found else []), Part(features))


def _recorded(diagnosis: Diagnosis, evidence: Evidence) -> tuple[Part, ...]:
    rows = evidence.rows
    columns = (
        Column("no.", tuple(str(number) for number, _ in enumerate(rows, 1)), is_number=True),
        Column("at (UTC)", tuple(stamp_text(row["ts"]) for row in rows)),
        Column("kind", tuple(literal(row["kind"], 40) for row in rows)),
        Column("scope", tuple(literal(row["scope"], 120) for row in rows)),
        Column("hours before the onset", tuple(number(row["hours_before"]) for row in rows), is_number=True),
        Column("score", tuple(number(row["score"]) for row in rows), is_number=True),
    )
    onset = stamp_text(evidence.figures["onset"])
    caption = f"Within 72 hours of {onset} UTC; a score above 0 means that the scope names the item"
    return (Part(PageTable(caption, columns)),)


_PARTS: Mapping[str, Callable[[Diagnosis, Evidence], tuple[Part, ...]]] = {
    "item.path": _path,
    "item.facts": _facts,
    "item.gap": _gap,
    "item.replay": _replay,
    "item.changes": _recorded,
}
