"""Detectors from other packages: found, listed, judged by the same contract; broken ones are named, not fatal."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recsysops import registry
from recsysops.errors import PluginError
from recsysops.testing.check_detector import Check, detector_checks
from recsysops.testing.example_log import example_log, findings

EXAMPLE = Path(__file__).parents[1] / "example_plugin"
NAME = "example.frozen_feature"


def install(folder: Path, name: str, version: str, points: dict[str, str]) -> None:
    """What an installer leaves behind: a dist-info folder with entry points."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = [f"{point} = {target}" for point, target in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[recsysops.detectors]", *lines, ""]), encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(EXAMPLE / "src"))
    return tmp_path


@pytest.fixture
def example(site: Path) -> registry.Plugin:
    install(site, "tired-engineers-detectors", "1.2.0", {NAME: "tired_engineers.frozen_feature:FrozenFeature"})
    return registry.plugin("detectors", NAME)


def test_it_is_listed_after_the_built_ins_without_being_imported(example: registry.Plugin) -> None:
    sys.modules.pop("tired_engineers.frozen_feature", None)
    assert registry.plugins("detectors")[-1] == example
    assert example.origin == "tired-engineers-detectors 1.2.0"
    assert example.summary() == "A numeric feature suddenly has nearly one value only."
    assert "tired_engineers.frozen_feature" not in sys.modules


@pytest.mark.parametrize("check", detector_checks(), ids=lambda check: check.__name__)
def test_it_passes_the_contract(example: registry.Plugin, check: Check) -> None:
    check(example.load())


def test_it_finds_its_fault(example: registry.Plugin) -> None:
    log = example_log(n_days=4, requests_per_day=100).set("candidates", "feature_0", 1.5)
    assert [found.column for found in findings(example.load()(), log)] == ["feature_0"]


def test_a_broken_plugin_gives_one_error_that_names_it(site: Path) -> None:
    (site / "broken_detectors.py").write_text("raise RuntimeError('no licence key')\n", encoding="utf-8")
    install(site, "broken-detectors", "0.3", {"broken.one": "broken_detectors:One"})
    found = registry.plugin("detectors", "broken.one")
    with pytest.raises(PluginError, match=r"broken\.one of broken-detectors 0\.3: found RuntimeError: no licence key"):
        found.load()


def test_a_missing_class_is_a_plugin_error(site: Path) -> None:
    install(site, "half-detectors", "0.1", {"half.one": "tired_engineers.frozen_feature:NoSuch"})
    with pytest.raises(PluginError, match=r"half-detectors 0\.1: found AttributeError"):
        registry.plugin("detectors", "half.one").load()


def test_two_plugins_of_one_name_are_refused_with_both_origins(site: Path) -> None:
    install(site, "first-team", "1.0", {NAME: "tired_engineers.frozen_feature:FrozenFeature"})
    install(site, "second-team", "2.0", {NAME: "tired_engineers.frozen_feature:FrozenFeature"})
    with pytest.raises(PluginError, match=r"twice, in (first-team 1\.0|second-team 2\.0).* and .*-team [12]\.0"):
        registry.plugins("detectors")


def test_a_plugin_cannot_take_the_name_of_a_built_in(site: Path) -> None:
    install(site, "usurper", "1.0", {"input.row_volume": "tired_engineers.frozen_feature:FrozenFeature"})
    with pytest.raises(PluginError, match=r"in recsysops .* and usurper 1\.0"):
        registry.plugins("detectors")


@pytest.mark.slow
def test_it_installs_as_a_package(tmp_path: Path) -> None:
    """Build and install for real, into a folder of its own, and list from a fresh interpreter."""
    install_to = tmp_path / "site"
    beside = EXAMPLE.parents[1] / ".venv-uv" / "bin" / "uv"  # where the Makefile keeps it
    uv = str(beside) if beside.exists() else shutil.which("uv")
    installer = [uv, "pip", "install", "--python", sys.executable] if uv else [sys.executable, "-m", "pip", "install"]
    command = [*installer, "--quiet", "--no-deps", "--target", str(install_to), str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    script = f"from recsysops import registry; print(registry.plugin('detectors', {NAME!r}).load().meta.code)"
    code = f"import sys; sys.path.insert(0, {str(install_to)!r}); {script}"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert listed.stdout.strip() == "EXA101"
