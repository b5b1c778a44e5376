"""An opened workspace: its settings, its tables, its state, and what is on record there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recsysops.config.settings import WorkspaceSettings
    from recsysops.incidents.location import StateLocation
    from recsysops.incidents.state import State
    from recsysops.models.model_facts import ModelFacts
    from recsysops.profiles.history import Change
    from recsysops.tables.table import Table

CHANGES = "changes.jsonl"


@dataclass(frozen=True)
class Opened:
    """A folder with ``recsysops.yaml``; each part is read when it is first asked for.

    Args:
        path: the folder, or None for the nearest one upward from here.
        env: environment whose settings go on top.
        brand: brand whose settings go on top.
    """

    path: Path | str | None = None
    env: str | None = None
    brand: str | None = None

    @cached_property
    def root(self) -> Path:
        """The folder that holds ``recsysops.yaml``."""
        from recsysops.config.load import find_workspace

        return find_workspace(Path.cwd()) if self.path is None else Path(self.path)

    @cached_property
    def settings(self) -> WorkspaceSettings:
        """What ``recsysops.yaml`` says."""
        from recsysops.config.load import FILE_NAME, load_settings

        return load_settings(self.root / FILE_NAME, env=self.env, brand=self.brand, environ=os.environ)

    @property
    def state(self) -> Path:
        """The folder of profiles, state database and lock."""
        return self.root / self.settings.state.folder

    @property
    def location(self) -> StateLocation:
        """Where the state is: the folder, and the database in it or on a server."""
        from recsysops.incidents.location import state_location

        return state_location(self.settings, self.root)

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The opened tables, by name."""
        from recsysops.tables.open_tables import open_tables

        return open_tables(self.settings, self.root)

    @contextmanager
    def remembered(self) -> Iterator[State | None]:
        """The state, or None when nothing was ever run here; nothing is made by looking."""
        from recsysops.incidents.sqlite_database import file_of
        from recsysops.incidents.state import State

        if not self.location.is_server and not file_of(self.location.folder).exists():
            yield None
            return
        with State(self.location, clock=self.settings.clock) as state:
            yield state

    def known_models(self) -> tuple[ModelFacts, ...]:
        """What is known of the registered models."""
        from recsysops.models.model_facts import model_facts

        return model_facts(self.tables["models"], self.root) if "models" in self.tables else ()

    def known_changes(self) -> tuple[Change, ...]:
        """What was recorded with ``recsysops change record``, and what the table ``changes`` holds."""
        from recsysops.profiles.history import Change
        from recsysops.tables.change_rows import change_rows
        from recsysops.tables.changes import read_changes

        exported = change_rows(self.tables["changes"]) if "changes" in self.tables else ()
        known = (*exported, *read_changes(self.state / CHANGES).changes)
        return tuple(Change(one.ts, one.kind, one.scope, one.description, one.rollout) for one in known)
