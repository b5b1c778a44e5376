"""A workspace from Python: the command line's equal, each group of verbs in a file of its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from recsysops.workspace.counting import judge_of
from recsysops.workspace.diagnosing import Diagnosing
from recsysops.workspace.judging import Judging
from recsysops.workspace.keeping import Keeping
from recsysops.workspace.looking import Looking
from recsysops.workspace.opened import CHANGES
from recsysops.workspace.replaying import Replaying

if TYPE_CHECKING:
    from recsysops.incidents.desk import Desk

__all__ = ["CHANGES", "Workspace"]


class Workspace(Judging, Looking, Replaying, Diagnosing, Keeping):
    """A folder with ``recsysops.yaml``.

    Args:
        path: the folder, or None for the nearest one upward from here.
        env: environment whose settings go on top.
        brand: brand whose settings go on top.

    Every method raises the errors of ``recsysops.errors``; the messages say what to do next.
    """

    def desk(self, who: str = "") -> Desk:
        """The desk at which incidents are worked on: list, show, acknowledge, hand off, resolve, look back …

        Args:
            who: stands in the audit trail; ``RECSYSOPS_USER`` or the login's name when empty.
        """
        from recsysops.incidents.desk import Desk, who_acts

        return Desk(
            self.settings,
            self.root,
            self.location,
            lambda: self.tables,
            partial(judge_of, self),
            who.strip() or who_acts(),
        )
