"""Whether serving did to an item what the model and its sources say."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import numpy as np
import numpy.typing as npt

from recsysops.cases.evidence import Evidence, Sign, share_proof, unknown
from recsysops.cases.item_case import ItemCase
from recsysops.cases.step import StepMeta
from recsysops.replay.grades import MISMATCH
from recsysops.replay.replaying import score_grades
from recsysops.replay.rescoring import rescore
from recsysops.replay.tracing import Traced, copy_rates, feature_differences

Integers = npt.NDArray[np.int64]
LEAST_ROWS = 20
LEAST_DIFFERING = 0.05
"""Share of the item's rows in which a feature differs from its source, above which it is told."""


class ItemReplay:
    """Does replay give the logged scores, and were the features what their sources said?

    The logged model scores the item's logged features again, and the scores are compared bit by bit; each
    feature with a lineage is fetched again as of the request, and what differs is told with its class (missing, stale by how long, other unit,
    of another key …). Which features are plain copies is measured on the peers' rows of the same requests.
    """

    meta = StepMeta(name="item.replay", subjects=("item",))

    def examine(self, case: ItemCase) -> Evidence:
        """Replay the item's rows of the window."""
        if not case.artifacts:
            return unknown(self.meta.name, f"no model to replay: {case.without_model}")
        found = rescore(case.rows, case.artifacts, case.problems)
        start = np.datetime64(case.window.start.astimezone(UTC).replace(tzinfo=None), "us")
        chosen = np.flatnonzero(case.log.is_item & (case.times >= start))
        signs, n_bad = [], {}
        for name, column in score_grades(case.rows, found, 10).items():
            own = np.isin(column.chosen, chosen)
            n, bad = int(own.sum()), int((column.rows[own] == MISMATCH).sum())
            n_bad[name] = bad
            if bad:
                proof = share_proof("divergence", bad, n, f"{bad} of {n} {name}s are not what the model gives again")
                entity = f"model {case.artifact.model_id}" if case.artifact is not None else "model"
                signs.append(Sign("replay diverges", entity, proof.words, min(1.0, 2 * bad / n), proof))
        rows = [row for one in case.traced for row in _features(one, chosen, signs)]
        n_rows = int(found.is_replayed[chosen].sum())
        n_equal = sum(not row["differs"] for row in rows)
        headline = (
            f"{n_rows - max(n_bad.values(), default=0)} of {n_rows} scores reproduce; "
            f"{n_equal} of {len(rows)} traced features equal their source"
        )
        figures = {
            "n_rows": n_rows,
            "n_equal_features": n_equal,
            **{f"{name}_mismatches": n for name, n in n_bad.items()},
        }
        return Evidence(self.meta.name, "abnormal" if signs else "normal", headline, tuple(signs), figures, tuple(rows))


def _features(traced: Traced, chosen: Integers, signs: list[Sign]) -> list[dict[str, Any]]:
    """A row for each copied feature; those that differ often add a sign."""
    copies = {rate.column for rate in copy_rates(traced) if rate.is_copy}
    own = np.isin(traced.chosen, chosen)
    n, found = int(own.sum()), []
    for one in feature_differences(traced, copies):
        bad = int((one.classes[own] > 0).sum())
        kind = one.main_class if bad else "same"
        found.append(
            {"feature": one.column, "source": one.source, "n": n, "differs": bad, "class": kind, **one.details}
        )
        words = f"{one.column} differs from {one.source} in {bad} of {n} rows ({kind})"
        if n >= LEAST_ROWS and (share_proof("divergence", bad, n, words).low or 0.0) > LEAST_DIFFERING:
            proof = share_proof("divergence", bad, n, words)
            signs.append(Sign("differs from its source", one.column, words, min(1.0, 0.5 + bad / n), proof))
    return found
