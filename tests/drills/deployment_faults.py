"""What goes wrong between a trained model and its deployment, to plant into the simulated service."""

from __future__ import annotations

from typing import Any

import numpy as np


class Reordered:
    """The deployment reads the features in another order than the model was trained on."""

    def deployment(self, rows: Any, _: Any) -> Any:
        orders = [",".join([*one.split(",")[1:], one.split(",")[0]]) for one in rows["feature_order"]]
        return rows.with_columns(feature_order=np.array(orders, object))


class Uncalibrated:
    """The deployment has lost its calibration."""

    def deployment(self, rows: Any, _: Any) -> Any:
        return rows.with_columns(calibration_b=rows["calibration_b"] + 0.5)
