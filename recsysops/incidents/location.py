"""Where a workspace's state is: its folder, and the database in it or on a server."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from recsysops.config.settings import WorkspaceSettings


@dataclass(frozen=True)
class StateLocation:
    """``folder`` holds profiles and the lock, and the SQLite file when there is no ``url``."""

    folder: Path
    url: str = field(default="", repr=False)  # it may hold a password
    namespace: str = "recsysops"
    """The schema of this workspace's tables on the server; workspaces may share a server."""

    @property
    def is_server(self) -> bool:
        """Whether the database is PostgreSQL."""
        return bool(self.url)


def state_location(settings: WorkspaceSettings, root: Path) -> StateLocation:
    """Where the settings put the state of the workspace in ``root``."""
    state = settings.state
    words = re.sub(r"[^a-z0-9]+", "_", settings.name.lower()).strip("_")
    namespace = state.namespace or f"recsysops_{words}"[:63].rstrip("_")
    return StateLocation(root / state.folder, state.url or "", namespace)
