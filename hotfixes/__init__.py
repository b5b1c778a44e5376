"""The shelf of hotfixes: one file per hotfix strategy, imported as ``recsysops.hotfixes``."""

# A bare ``import hotfixes`` from the checkout fails here instead of making a second copy of the plugins.
from .. import registry as _registry  # noqa: F401

__all__: list[str] = []
