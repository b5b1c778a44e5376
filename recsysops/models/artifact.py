"""A loaded model: what it is called, what it reads, its trees, and how its margin becomes a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from recsysops.errors import SourceError
from recsysops.models.calibration import Calibration
from recsysops.models.forest import Forest, read_forest
from recsysops.models.registration import Registration
from recsysops.models.side_files import RawKind
from recsysops.models.tree_text import Trees


@dataclass(frozen=True)
class Artifact:
    """A registered model that was loaded and checked."""

    registration: Registration
    digest: str
    """SHA-256 over the model's bytes, its schema's and its calibration's: all that replay depends on."""
    features: tuple[str, ...]
    """The logs' columns in the order of the model's."""
    categories: Mapping[str, tuple[str, ...]]
    """Per categorical feature the words, coded by their place."""
    fill: Mapping[str, float]
    """What missing numbers are replaced with before scoring."""
    feature_schema: str
    raw_score: RawKind
    """What the logs call ``raw_score``."""
    calibration: Calibration | None
    """None: how scores are made of margins is not known."""
    trees: Trees
    disagreements: tuple[str, ...]
    """Where registry, schema file and model file name other features, or the same in another order."""
    text: str = field(repr=False)
    """The model file."""

    @cached_property
    def booster(self) -> Any:
        """LightGBM's own object, made when it is first needed; predicting does not change it.

        Raises:
            SourceError: if LightGBM cannot read the text.
        """
        import lightgbm

        try:
            return lightgbm.Booster(model_str=self.text)
        except (lightgbm.basic.LightGBMError, ValueError) as error:
            where = f"model {self.registration.model_id}"
            found = str(error).splitlines()[0][:200]
            raise SourceError(where, found=found, expected="a LightGBM text model") from error

    @cached_property
    def forest(self) -> Forest:
        """The trees laid out for walking, made when they are first needed."""
        return read_forest(self.text, self.trees, f"model {self.registration.model_id}")

    @property
    def model_id(self) -> str:
        """Its name in the logs."""
        return self.registration.model_id
