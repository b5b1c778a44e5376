"""The planted faults of every detector, one YAML file each: found, and nothing else beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsysops import registry
from recsysops.errors import ConfigError
from recsysops.testing.detector_cases import DetectorCase, check_case, load_cases
from recsysops.triage.detector import Detector

DETECTORS: dict[str, type[Detector]] = {
    plugin.name: plugin.load() for plugin in registry.plugins("detectors") if plugin.origin == "recsysops"
}
FILES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
CASES = [case for path in FILES for case in load_cases(path)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.detector}: {case.name}")
def test_case(case: DetectorCase) -> None:
    check_case(DETECTORS[case.detector], case)


def test_every_detector_has_a_file_of_its_code() -> None:
    assert {path.stem for path in FILES} == {detector.meta.code for detector in DETECTORS.values()}
    for path in FILES:
        assert DETECTORS[load_cases(path)[0].detector].meta.code == path.stem


@pytest.mark.parametrize("text", ["[]", "detector: x", "detector: x\ncases: [{nam: y}]"])
def test_malformed_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"case\.yaml"):
        load_cases(path)
