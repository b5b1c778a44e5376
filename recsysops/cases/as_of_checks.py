"""Each logged feature of a subject beside what its source had as of the request, and what is wrong where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import numpy.typing as npt

from recsysops.cases.evidence import Proof, Sign, share_proof
from recsysops.cases.subject_requests import Rank, SubjectRequests
from recsysops.replay.traced_rows import compared
from recsysops.replay.tracing import Traced, copy_rates, feature_differences
from recsysops.tables.views.traced import DIFFERENT, MADE

Flags = npt.NDArray[np.bool_]
USUALLY = 0.01
"""A feature that differs in more of others' rows on typical days is not followed: it is made in a way that is not known."""
TIMES_USUAL = 10.0
FADES = 0.5
"""What each further kind of difference weighs beside the one before: one fault often shows in several features."""


@dataclass(frozen=True)
class AsOfCheck:
    """A feature that comes from an upstream column."""

    feature: str
    table: str
    source: str
    """The upstream column."""
    differs: Flags
    """(n_rows,) over all rows, the subject's and others'."""
    n_rows: int
    """The subject's rows that could be compared."""
    n_differing: int
    """Of those."""
    rank: Rank
    kind: str
    """Most frequent class of difference among the subject's rows, ``same`` without any."""
    is_made: bool
    """Computed from the source, not copied."""
    details: Mapping[str, float | str] = field(default_factory=dict)
    """How stale, which ratio … , where it was found."""

    @property
    def is_followed(self) -> bool:
        """Whether it is known how the feature comes from its source, so that a difference means something."""
        return self.rank.usual <= USUALLY

    @property
    def is_wrong(self) -> bool:
        """Whether the subject's values are not what their source says."""
        return self.is_followed and self.n_differing > 0 and self.rank.own > TIMES_USUAL * self.rank.usual


def as_of_checks(requests: SubjectRequests, traced: Sequence[Traced]) -> tuple[AsOfCheck, ...]:
    """Compare every feature with a lineage; how each is made of its source is learned from all the rows together.

    Returns:
        One check per feature; none without others to learn from.
    """
    if not requests.n_others:
        return ()
    classes = compared(list(traced), requests.rows)
    return tuple(_check(requests, one, name, classes[name]) for one in traced for name in one.lineage)


def _check(requests: SubjectRequests, traced: Traced, feature: str, names: npt.NDArray[np.object_]) -> AsOfCheck:
    is_known = np.array([name is not None for name in names], bool)
    differs = np.isin(names.astype(str), DIFFERENT)
    own = requests.is_own_row & is_known
    kinds, counts = np.unique(names[own & differs].astype(str), return_counts=True)
    return AsOfCheck(
        feature,
        traced.upstream.table,
        traced.lineage[feature],
        differs,
        int(own.sum()),
        int((own & differs).sum()),
        requests.rank(_share_of_known(requests, differs, is_known)),
        str(kinds[np.argmax(counts)]) if len(kinds) else "same",
        bool(np.isin(names[is_known].astype(str), MADE).any()),
        _details(traced, feature) if len(kinds) else {},
    )


def _share_of_known(requests: SubjectRequests, flags: Flags, is_known: Flags) -> npt.NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return np.asarray(requests.share(flags & is_known) / requests.share(is_known))


def _details(traced: Traced, feature: str) -> Mapping[str, float | str]:
    copies = {rate.column for rate in copy_rates(traced) if rate.is_copy} & {feature}
    return {key: value for one in feature_differences(traced, copies) for key, value in one.details.items()}


def wrong_features(checks: Sequence[AsOfCheck], requests: SubjectRequests) -> tuple[Sign, ...]:
    """A sign for each kind of difference in each upstream table, the most telling first.

    Several features of one table that differ in the same way are one fault, of the table; values of another entity are one of
    its key, whatever else differs in that table.
    """
    signs = []
    for place, group in enumerate(_groups(checks)):
        first, n = group[0], len(group)
        names = ", ".join(one.feature for one in group[:4]) + (f" and {n - 4} more" if n > 4 else "")
        proof = _proof(group, requests, names)
        name, entity = "differs from its source", first.feature if n == 1 else first.table
        if first.kind == "wrong_key":
            name, entity = "of another key", f"{first.table}.key"
        signs.append(Sign(name, entity, proof.words, FADES**place, proof))
    return tuple(signs)


def _groups(checks: Sequence[AsOfCheck]) -> Iterator[list[AsOfCheck]]:
    wrong = [one for one in checks if one.is_wrong]
    keys = {one.table for one in wrong if one.kind == "wrong_key"}
    alike = {id(one): (one.table, "wrong_key" if one.table in keys else one.kind) for one in wrong}
    ordered = sorted(wrong, key=lambda one: alike[id(one)])
    groups = [list(group) for _, group in groupby(ordered, key=lambda one: alike[id(one)])]
    for group in groups:
        group.sort(key=lambda one: (one.kind != "wrong_key", one.is_made, -one.rank.own))
    yield from sorted(
        groups, key=lambda group: (group[0].kind != "wrong_key", group[0].is_made, -len(group), -group[0].rank.own)
    )


def _proof(group: Sequence[AsOfCheck], requests: SubjectRequests, names: str) -> Proof:
    """One request is there as a whole; a share of several has an interval, by request."""
    differs = np.any([one.differs for one in group], axis=0) & requests.is_own_row
    n_rows, sources = max(one.n_rows for one in group), dict.fromkeys(f"{one.table}.{one.source}" for one in group)
    widely = f", as in {100 * group[0].rank.nearby:.0f} % of others' rows" if group[0].rank.nearby > USUALLY else ""
    words = f"{names} {_said(group, list(sources))} in {int(differs.sum())} of {n_rows} rows{_how(group[0])}{widely}"
    of_request = requests.share(differs)[requests.is_own] > 0
    if len(of_request) > 1:
        return share_proof("divergence", int(of_request.sum()), len(of_request), words)
    return Proof("divergence", int(differs.sum()) / n_rows, None, None, words)


def _said(group: Sequence[AsOfCheck], sources: Sequence[str]) -> str:
    are = "is" if len(group) == 1 else "are"
    if group[0].kind == "wrong_key":
        return f"{are} what {group[0].table} has of another key"
    others = " …" if len(sources) > 2 else ""
    return f"{are} not what {', '.join(sources[:2])}{others} had ({group[0].kind})"


def _how(check: AsOfCheck) -> str:
    if check.kind == "stale" and "lag_seconds" in check.details:
        return f", {float(check.details['lag_seconds']) / 3600:.0f} h old"
    return f", {check.details['ratio']:.3g} times" if check.kind == "scaled" and "ratio" in check.details else ""
