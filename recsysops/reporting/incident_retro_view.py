"""The screen of ``recsysops incident retro``."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.incidents.retro import Chance, Retro
from recsysops.incidents.standing_check import StandingCheck
from recsysops.reporting.incident_list_view import hours
from recsysops.reporting.lines import Line, next_lines, wrapped
from recsysops.reporting.numbers import count, number
from recsysops.reporting.plain import literal


def retro_lines(retro: Retro, width: int, *, command: str = "recsysops") -> Iterator[Line]:
    """When it could have been found and at what price, what foretold it, where the time went, the check it became."""
    yield from wrapped(_answer(retro), width, style="bold")
    yield Line("")
    for chance in retro.chances:
        yield from _chance(chance, width)
    yield from _signs(retro, width)
    yield Line("")
    yield from wrapped(_spans(retro), width)
    yield from _check(retro, width)
    yield Line("")
    yield from next_lines([f"{command} incident list --all --summary"])


def _answer(retro: Retro) -> str:
    name = f"Incident {retro.incident.id}"
    opened = f"was found on {retro.incident.opened}"
    if not retro.chances:
        return f"{name} {opened}, and no detector had said anything of it on the days before"
    best = retro.chances[0]
    earlier = count(best.days_earlier, "day")
    return f"{name} {opened}; it could have been found {earlier} earlier, on {best.day}, at a limit of p ≤ {number(best.limit)}"


def _chance(chance: Chance, width: int) -> Iterator[Line]:
    clean = f"over {count(chance.n_clean_days, 'clean day')}"
    cost = (
        f"{number(chance.alarms_per_30_days)} [{number(chance.low)}, {number(chance.high)}] more alarms per 30 days {clean}"
        if chance.n_clean_days
        else "a cost that no clean day before it tells"
    )
    finding = chance.finding
    yield from wrapped(
        f"{chance.day}  {literal(finding.detector)}: {literal(finding.headline)} ({literal(finding.slice)}); "
        f"p ≤ {number(chance.limit)} would have alerted, at {cost}",
        width,
        indent=2,
    )


def _signs(retro: Retro, width: int) -> Iterator[Line]:
    if not retro.chances:
        days = count(retro.n_heard, "day")
        yield from wrapped(
            f"Judged once more: {days}. Finding it earlier needs another measure, not another limit.", width
        )
    if not retro.signs:
        yield from wrapped("Foretold by: no change was recorded in the two days before its onset", width)
        return
    yield Line("Foretold by changes recorded near its onset:")
    for sign in retro.signs:
        what = " ".join(part for part in (sign.kind, sign.scope, sign.description) if part)
        yield from wrapped(literal(f"{sign.ts:%Y-%m-%d %H:%M} UTC  {what}"), width, indent=2)


def _spans(retro: Retro) -> str:
    if retro.milestones.in_hindsight:
        return "Where the time went: not told, its days were over before the first run here"
    parts = [f"{hours(spent)} until {step}" for step, spent in retro.milestones.spans()]
    return f"Where the time went, from the onset on: {' · '.join(parts)}"


def _check(retro: Retro, width: int) -> Iterator[Line]:
    check = retro.check
    if check is None:
        yield from wrapped(f"No standing check: it was resolved as {retro.incident.resolution}", width)
        return
    about = literal(f"{check.table}.{check.column}" if check.column else check.table)
    yield from wrapped(
        f"Standing check: {about} {literal(check.statistic)} {_expectation(check)}, in {retro.files[0]}; "
        f"its fixture, on which it fires and on healthy days does not, in {retro.files[1]}",
        width,
    )


def _expectation(check: StandingCheck) -> str:
    (kind, bound), *_ = check.expectation.items()
    if kind == "finding":
        return f"not to be found again by {literal(check.detector)}"
    return f"{'at most' if kind == 'at_most' else 'at least'} {number(bound)}"
