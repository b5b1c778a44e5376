"""The shelf of predictors: one file per predictor, imported as ``recsysops.predictors``."""

# A bare ``import predictors`` from the checkout fails here instead of making a second copy of the plugins.
from .. import registry as _registry  # noqa: F401

__all__: list[str] = []
