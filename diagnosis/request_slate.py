"""Whether a request's slate keeps the rules, and what it has that slates usually have not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from recsysops.cases.evidence import Evidence, Sign
from recsysops.cases.request_case import RequestCase
from recsysops.cases.slate_rules import broken_rules, is_shown, unavailable
from recsysops.cases.slate_ways import few_candidates, leaps, old_overrides
from recsysops.cases.step import StepMeta
from recsysops.cases.subject_requests import Rank, texts
from recsysops.errors import RecSysOpsError


class RequestSlate:
    """Does the slate keep its rules, and is it made as others are?

    Broken by itself: an item twice, a gap in the positions, an item shown that a rule filtered, that was not launched or not available in the
    market at that time, a row logged twice, an outcome of what was not shown. Against other requests of the same days: the number of
    candidates, silent sources, how far items leap over better scores, and the generation of the overrides.

    Source: the rules are those of ``output.slate_invariants`` and ``output.candidate_set``, of one request.
    """

    meta = StepMeta(name="request.slate", subjects=("request",))

    def examine(self, case: RequestCase) -> Evidence:
        """Check every rule."""
        own = case.own
        broken = list(broken_rules(own))
        unseen = []
        try:
            broken += unavailable(own, case.catalogues, "market")
        except RecSysOpsError as error:
            unseen.append(str(error))
        if case.log.n_others == 0:
            unseen.append("no other request to compare with")
        size, few = few_candidates(case.log)
        leap, leapt = leaps(case.log, case.changes)
        strange = [one for one in (*few, leapt, old_overrides(case.log), _unshown(case)) if one]
        signs = (*(one.sign(own) for one in broken), *strange)
        outcome = "abnormal" if signs else "unknown" if unseen else "normal"
        headline = "; ".join(dict.fromkeys(one.words for one in signs)) or _headline(case, unseen)
        return Evidence(self.meta.name, outcome, headline, signs, _figures(case, size, leap, unseen), _rows(signs))


def _unshown(case: RequestCase) -> Sign | None:
    """Outcomes that name the request and an item that it did not show."""
    shown = is_shown(case.own)
    items, names = texts(case.own.role("item_id")).to_pylist(), texts(case.own.role("request_id")).to_pylist()
    seen = {(names[row], items[row]) for row in range(case.own.n_rows) if shown[row]}
    lost = [one for one in case.outcomes or () if (one.request_id, one.item_id) not in seen]
    if not lost:
        return None
    words = f"{len(lost)} outcomes name the request and items that it did not show, as item {lost[0].item_id}"
    return Sign("outcome without impression", "outcomes.request_id", words)


def _headline(case: RequestCase, unseen: Sequence[str]) -> str:
    n = int(is_shown(case.own).sum())
    kept = f"{n} of {case.own.n_rows} candidates shown, every rule kept that could be looked at"
    return kept + (f"; could not look at: {'; '.join(unseen)}" if unseen else "")


def _figures(case: RequestCase, size: Rank, leap: Rank | None, unseen: Sequence[str]) -> dict[str, Any]:
    own = case.own
    rules, fallback = own.role("filtered_by"), own.number("fallback")
    filtered = Counter(one for one in texts(rules).to_pylist() if one) if rules is not None else None
    generations = own.number("override_generation")
    return {
        "n_candidates": own.n_rows,
        "n_shown": int(is_shown(own).sum()),
        "filtered": None if filtered is None else dict(sorted(filtered.items())),
        "fallback": None if fallback is None else bool((fallback == 1).any()),
        "override_generations": None
        if generations is None
        else sorted({float(one) for one in generations if one == one}),
        "n_outcomes": None if case.outcomes is None else len(case.outcomes),
        "usual_candidates": -size.usual if size.n_others else None,
        "candidates_p": size.p_value,
        "greatest_leap": None if leap is None else leap.own,
        "leap_p": None if leap is None else leap.p_value,
        "not_looked_at": list(unseen),
    }


def _rows(signs: Sequence[Sign]) -> tuple[dict[str, Any], ...]:
    return tuple({"rule": one.name, "entity": one.entity, "words": one.words} for one in signs)
