"""A few members that make up far more of the requests than anybody uses to: bots, load tests, a key that was mixed up."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import special

from recsysops.profiles.history import Context, Floats, History, KeyedContrast
from recsysops.profiles.measures import Keyed, Measure
from recsysops.profiles.slices import EVERYTHING
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.schema import Schema
from recsysops.triage.detector import DetectorMeta, Parameters, Positive, Rate, Verdict
from recsysops.triage.evidence import Stated, finding_of, not_between_cohorts, percent, where, without_reference
from recsysops.triage.findings import Finding, Looked, Skipped
from recsysops.triage.level_gate import LevelLimits, level_gate
from recsysops.triage.own_names import role_column
from recsysops.triage.rate_gate import MAX_P

_REQUESTS = Keyed("requests", "member_id", ("rows",))
_TOP = (1, 3, 10)
"""How many of the busiest members are taken together; a burst may hide behind one account or be spread over some."""
_PRIOR_SD = 0.15
"""Of ln(share of the busiest members) between healthy days."""


class MemberDomination:
    """A few members make up far more of the requests than anybody uses to.

    Signals:
        ``top_members_share``: requests of the busiest 1, 3 or 10 members over all, in [0, 1]; higher is worse.
    Parameters:
        min_ratio: least growth of the share, default 1.7; min_share: least rise in points, default 0.002.
    Needs:
        candidates with member_id.
    Blind spots:
        Bursts spread over many accounts (see ``input.row_volume`` by hour); automata that were always there.
    Example:
        >>> from recsysops.testing.example_log import findings
        >>> from recsysops.testing.example_slates import example_slates
        >>> log = example_slates().set("candidates", "member_id", "m7", where="request_id.str.endswith('7')")
        >>> [found.statistic for found in findings(MemberDomination(), log)]
        ['top_members_share']

    Source:
        Smyth (2004) for the moderated variance between days.
    """

    meta = DetectorMeta("INP119", "input.member_domination", ("candidates",), "warning", "logging")

    class Params(Parameters):
        """Floors of ``input.member_domination``."""

        min_ratio: Positive = 1.7
        min_share: Rate = 0.002

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def measures(self, schema: Schema) -> Iterator[Measure]:
        candidates = schema.table("candidates")
        if schema.table("requests") is not None and candidates is not None and candidates.role("member_id") is not None:
            yield _REQUESTS

    def judge(self, history: History) -> Iterator[Verdict]:
        context = history.context
        if not list(self.measures(context.schema)):
            yield Skipped(self.meta.name, "not_applicable", "no column plays the role member_id", "candidates")
            return
        skipped = not_between_cohorts(self.meta, context) or without_reference(self.meta, context)
        if skipped is not None:
            yield skipped
            return
        keyed = history.keyed(_REQUESTS)
        if keyed is None or not keyed.current[..., 0].any() or not keyed.reference[..., 0].any():
            yield Skipped(self.meta.name, "too_little_data", "no requests of known members in one window", "candidates")
            return
        changes = [one for n in _TOP if (one := self._grown(keyed, n)) is not None]
        if changes:
            yield self._finding(context, keyed, *min(changes, key=lambda one: one[1].p_value or 0.0))
        yield Looked(self.meta.name, len(_TOP), "requests of the busiest members", len(_TOP))

    def _grown(self, keyed: KeyedContrast, n: int) -> tuple[int, Stated] | None:
        """The share of the n busiest against other days' n busiest, whoever they were."""
        days, now = keyed.reference[..., 0], keyed.current[..., 0].sum(axis=0)[None]
        days = days[days.sum(axis=1) > 0]
        (before, of_days), (current, of_now) = busiest(days, n), busiest(now, n)
        if not (before > 0).all():
            return None
        # the largest of many counts moves less than a count: its days alone say how much
        level = level_gate(before / of_days, current[0] / of_now[0], LevelLimits(self.params.min_ratio, _PRIOR_SD))
        share, expected = float(current[0] / of_now[0]), float(level.expected)
        p_value = float(max(level.p_value, special.pdtrc(current[0] - 1, max(before) * of_now[0] / of_days.mean())))
        is_more = share > float((before / of_days).max()) and share - expected >= self.params.min_share
        if not is_more or float(level.effect) < 1 or p_value > MAX_P:
            return None
        return n, Stated(
            EVERYTHING, share, float(level.effect), int(of_now[0]), reference=expected, p_value=p_value,
            n_reference=int(of_days.sum()), series=(*(float(one) for one in before / of_days), share),
        )  # fmt: skip

    def _finding(self, context: Context, keyed: KeyedContrast, n: int, change: Stated) -> Finding:
        said = "one member makes" if n == 1 else f"{n} members make"
        return finding_of(
            self.meta, context, change,
            table="candidates", column=role_column(context.schema, "candidates", "member_id"),
            statistic="top_members_share", threshold=self.params.min_ratio,
            headline=f"{said} up {percent(change.value)} of requests; the busiest use to make up {percent(change.reference)}",
            query=_query(context),
        )  # fmt: skip


def busiest(requests: Floats, n: int) -> tuple[Floats, Floats]:
    """Requests of each unit's n busiest members and of all, (n_units,) each; the last key is the tail of all others.

    Example:
        >>> [one.tolist() for one in busiest(np.array([[5.0, 1.0, 3.0, 40.0]]), 2)]
        [[8.0], [49.0]]
    """
    ordered = -np.sort(-requests[:, :-1], axis=1)
    return np.asarray(ordered[:, :n].sum(axis=1)), np.asarray(requests.sum(axis=1))


def _query(context: Context) -> str:
    member, request = (
        quote_identifier(role_column(context.schema, "candidates", role)) for role in ("member_id", "request_id")
    )
    return (
        f"SELECT {member}, count(DISTINCT {request}) AS n_requests FROM {quote_identifier('candidates')} "
        f"{where(context, 'candidates', EVERYTHING)} GROUP BY 1 ORDER BY n_requests DESC LIMIT 20"
    )
