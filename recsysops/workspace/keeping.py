"""What is kept for later: copies of upstream tables, and notes of what was changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from recsysops.workspace.opened import CHANGES, Opened

if TYPE_CHECKING:
    from recsysops.tables.changes import ChangeRecord
    from recsysops.tables.snapshots import SnapshotResult

UPSTREAM = ("items", "availability", "item_features", "member_features")
SNAPSHOTS = "snapshots"


class Keeping(Opened):
    """The verbs that keep."""

    def snapshot(self, as_of: datetime | None = None) -> tuple[SnapshotResult, ...]:
        """Keep what changed in the upstream tables since the last snapshot.

        Args:
            as_of: the moment the tables' content was true; now when None.

        Raises:
            ConfigError: if the workspace has no upstream table.
        """
        from recsysops.errors import ConfigError
        from recsysops.incidents.lock import workspace_lock
        from recsysops.tables.snapshots import take_snapshot

        names = [name for name in UPSTREAM if name in self.tables]
        if not names:
            raise ConfigError("snapshot", found="no upstream table", expected=f"one of {', '.join(UPSTREAM)}")
        moment = as_of or datetime.now(UTC)
        with workspace_lock(self.location, "snapshot"):
            return tuple(take_snapshot(self.tables[name], self.state / SNAPSHOTS / name, moment) for name in names)

    def record_change(
        self,
        kind: str,
        scope: str = "",
        *,
        rollout: float | None = None,
        at: datetime | None = None,
        description: str = "",
    ) -> ChangeRecord:
        """Note a deploy, configuration, schema or experiment event.

        Args:
            kind: deploy, config, schema, launch, experiment …
            scope: what it touched, e.g. ``candidates.score``.
            rollout: share of traffic it reached, in [0, 1].
            at: when it took effect, with a zone; now when None.
            description: for people.
        """
        from recsysops.tables.changes import ChangeRecord, record_change

        change = ChangeRecord(at or datetime.now(UTC), kind, scope, description, rollout)
        record_change(self.state / CHANGES, change)
        return change
