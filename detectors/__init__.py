"""The shelf of detectors: one file per detector, imported as ``recsysops.detectors``."""

# A bare ``import detectors`` from the checkout fails here instead of making a second copy of the plugins.
from .. import registry as _registry  # noqa: F401

__all__: list[str] = []
