"""A fault of training needs a model that was trained with it: one is due on its first day."""

from __future__ import annotations

import numpy as np

from recsysops.drills.fault import Moment
from recsysops.drills.rows import Rows


def due_at_onset(trainer: Rows, moment: Moment) -> Rows:
    """The trainer's parameters, with training due if the fault begins today."""
    return trainer.with_columns(is_due=np.array([True])) if moment.n_days == 0 else trainer
