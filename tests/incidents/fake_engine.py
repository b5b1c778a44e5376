"""An engine that has days and counts nothing, for judges that make up what they say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast

from recsysops.models.model_facts import ModelFacts
from recsysops.profiles.history import Change, Context, History
from recsysops.tables.schema import Schema, TableSchema


@dataclass
class FakeHistory:
    context: Context


class FakeEngine:
    """A hundred candidates on each of ``n_days`` days."""

    def __init__(self, first: date, n_days: int) -> None:
        self.days = {first + timedelta(number): 100 for number in range(n_days)}

    def event_days(self, table: str) -> Mapping[date, int]:
        return self.days if table == "candidates" else {}

    def history(
        self,
        reference_days: Sequence[date],
        current_days: Sequence[date],
        *,
        now: datetime,
        changes: Sequence[Change] = (),
        incident_days: Collection[date] = (),
        models: Sequence[ModelFacts] = (),
        since: date | None = None,
    ) -> History:
        schema = Schema({"candidates": TableSchema("candidates", ())})
        context = Context(now, "days", tuple(reference_days), tuple(current_days), schema, tuple(changes))
        return cast("History", FakeHistory(context))
