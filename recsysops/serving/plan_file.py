"""The plan's file as a logger sees it: read when it changes, the last good plan kept while it is missing or bad."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recsysops.serving.plan import SamplingPlan
from recsysops.serving.plan_document import read_plan


class PlanFile:
    """A plan's document on disk.

    Args:
        path: of the document; it need not be there yet.
        accept: raises ValueError for a plan that this logger cannot use.
    """

    def __init__(self, path: Path, accept: Callable[[SamplingPlan], object]) -> None:
        self._path = path
        self._accept = accept
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> SamplingPlan | None:
        """The plan, if the file has changed since the last call; None while it is as it was, or is not there.

        Raises:
            ValueError: if it has changed and is no plan; said once per change.
        """
        try:
            facts = self._path.stat()
            signature = (facts.st_mtime_ns, facts.st_size, facts.st_ino)
            if signature == self._seen:
                return None
            content = self._path.read_bytes()
        except OSError:
            return None
        self._seen = signature
        plan = read_plan(content)
        self._accept(plan)
        return plan
