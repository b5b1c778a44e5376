"""What is known of the registered models without scoring anything: for the audit of a new artifact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recsysops.errors import RecSysOpsError
from recsysops.models.loading import load_artifact
from recsysops.models.registration import Registration, registrations
from recsysops.models.structure import Structure, structure
from recsysops.tables.table import Table

NEWEST = 26
"""Models looked into; half a year of weekly ones."""


@dataclass(frozen=True)
class ModelFacts:
    """A registered model; without a ``structure``, ``problem`` says why its file could not be read."""

    registration: Registration
    structure: Structure | None = None
    disagreements: tuple[str, ...] = ()
    """Where registry, schema file and model file name other features, or the same in another order."""
    problem: str = ""

    @property
    def trained_at(self) -> datetime | None:
        """When it was trained, as registered."""
        return self.registration.trained_at


def model_facts(table: Table, root: Path, trusted: Sequence[Path] = ()) -> tuple[ModelFacts, ...]:
    """The newest models of the table, oldest first.

    Raises:
        SourceError, SchemaError: if the table cannot be read; a model file that cannot be is part of the facts.
    """
    known = list(registrations(table).values())
    return tuple(_facts(one, root, trusted) for one in known[-NEWEST:])


def _facts(registration: Registration, root: Path, trusted: Sequence[Path]) -> ModelFacts:
    if not registration.path:
        return ModelFacts(registration, problem="no path in the models table")
    try:
        artifact = load_artifact(registration, root, trusted)
    except RecSysOpsError as error:
        return ModelFacts(registration, problem=str(error))
    return ModelFacts(registration, structure(artifact), artifact.disagreements)
