"""The shelf of diagnosis: one file per diagnostic step, imported as ``recsysops.diagnosis``."""

# A bare ``import diagnosis`` from the checkout fails here instead of making a second copy of the plugins.
from .. import registry as _registry  # noqa: F401

__all__: list[str] = []
