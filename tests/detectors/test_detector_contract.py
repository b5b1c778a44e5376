"""Every built-in detector against every check of the public contract suite."""

from __future__ import annotations

import pytest

from recsysops import registry
from recsysops.testing.check_detector import Check, check_detector, detector_checks
from recsysops.triage.detector import Detector

DETECTORS: tuple[type[Detector], ...] = tuple(
    plugin.load() for plugin in registry.plugins("detectors") if plugin.origin == "recsysops"
)


@pytest.mark.parametrize("check", detector_checks(), ids=lambda check: check.__name__)
@pytest.mark.parametrize("detector", DETECTORS, ids=lambda detector: detector.__name__)
def test_detector(detector: type[Detector], check: Check) -> None:
    check(detector)


def test_every_check_is_listed() -> None:
    from recsysops.testing import check_detector as module

    named = {name for name in vars(module) if name.startswith("check_")} - {"check_detector", "check_case"}
    assert {check.__name__ for check in detector_checks()} == named


def test_a_bad_detector_fails_with_the_reason() -> None:
    from dataclasses import replace

    class Undocumented(DETECTORS[2]):  # type: ignore[misc, valid-type]
        """Bad."""

        meta = replace(DETECTORS[2].meta, name="example.undocumented", code="EXA101")

    with pytest.raises(AssertionError, match=r"first line 'Bad\.'"):
        check_detector(Undocumented)
