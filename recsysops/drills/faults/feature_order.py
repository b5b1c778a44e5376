"""Fault 34. There or not: how far scores move depends on which features change places, so theory promises nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from recsysops.drills.fault import FaultMeta, Moment, Truth
from recsysops.drills.planting.required import require
from recsysops.drills.planting.touched import EXPOSURE, SCORES
from recsysops.drills.rows import Rows
from recsysops.drills.site import Site


@dataclass(frozen=True)
class FeatureOrder:
    """The model reads features in the wrong places.

    From some place on, each feature stands where the one before was.
    """

    meta: ClassVar[FaultMeta] = FaultMeta(
        name="feature_order",
        stage="artifact",
        cause="model",
        entity="a model's list of features",
        knob="there or not",
        target=1.0,
        symptom="replayed scores differ from logged ones; scores shift",
        cure="package the list of features with the model, and check it when loading",
        is_graded=False,
    )
    severity: float
    place: float
    """Where it begins, as a share of the list."""

    @classmethod
    def choose(cls, severity: float, site: Site, rng: np.random.Generator) -> Self:
        """Somewhere in the first half of the list."""
        names = (*site.features("numeric"), *site.features("categorical"))
        found = f"{len(names)} features"
        require(cls.meta.name, found, "at least two that can change places", is_there=len(names) > 1)
        return cls(min(severity, cls.meta.most), float(rng.uniform(0, 0.5)))

    def deployment(self, rows: Rows, moment: Moment) -> Rows:
        """The features from the place on move up by one, and the first of them goes to the end."""
        return rows.with_columns(feature_order=np.array([self._moved(one) for one in rows["feature_order"]], object))

    def _moved(self, order: str) -> str:
        names = order.split(",")
        first = int(self.place * len(names))
        return ",".join([*names[:first], *names[first + 1 :], names[first]])

    def truth(self) -> Truth:
        """The model's list of features; scores follow, and with them who is shown."""
        return Truth(("models.features", "models", "models.model_id", "feature_schema"), (*SCORES, *EXPOSURE))

    def visible(self, site: Site) -> float:
        """As it is."""
        return self.meta.target
