"""What README and docs say is what the program does."""

from __future__ import annotations

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from recsysops import registry
from recsysops.config.load import load_settings
from recsysops.incidents.lock import workspace_lock
from recsysops.tables.contract import TABLES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("**/*.md"))]

pytestmark = pytest.mark.skipif(not (ROOT / "README.md").exists(), reason="the docs are in a checkout only")


@pytest.fixture(scope="module")
def shelf() -> ModuleType:
    """The script that writes the pages of detectors."""
    spec = spec_from_file_location("docs_shelf", ROOT / "docs/shelf.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_detector_has_its_page(shelf: ModuleType) -> None:
    folder = ROOT / "docs/detectors"
    found = {f"docs/detectors/{path.name}": path.read_text("utf-8") for path in folder.glob("*.md")}
    wanted = shelf.pages()
    assert found.keys() == wanted.keys(), "`make docs` writes the pages anew"
    stale = [name for name, text in wanted.items() if found[name] != text]
    assert stale == [], "`make docs` writes the pages anew"


def test_pages_say_all_that_docstrings_say(shelf: ModuleType) -> None:
    for name, text in shelf.pages().items():
        if not name.endswith("README.md"):
            titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
            assert titles == ["Signals", "Parameters", "Needs", "Blind spots", "Example", "Source"], name


def test_the_table_of_detectors_is_the_shelf(shelf: ModuleType) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert text == shelf.with_families(text), "`make docs` writes the table anew"
    counts = re.findall(r"^\| \[`(\w+)`\]\(.+\) \| (\d+) \|", text, re.MULTILINE)
    assert sum(int(n) for _, n in counts) == len(registry.BUILT_INS["detectors"])


def test_the_settings_in_the_docs_are_accepted(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/workspace.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "recsysops.yaml").write_text("\n".join(blocks), encoding="utf-8")
    settings = load_settings(tmp_path / "recsysops.yaml", env=None, brand=None, environ={})
    assert settings.checks["free_first_slot"].per == ["market"]
    assert settings.tables["candidates"].columns["f_lang"].mask == "f_lang_is_default"


def test_the_tables_in_the_docs_are_those_of_the_contract() -> None:
    text = (ROOT / "docs/workspace.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \| .+? \| (.+) \|$", text, re.MULTILINE)
    told = {name: re.findall(r"`(\w+)`", roles) for names, roles in rows for name in re.findall(r"`(\w+)`", names)}
    assert told == {name: list(table.required) for name, table in TABLES.items()}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_command_in_the_readme_exists() -> None:
    from recsysops.cli.verbs import VERBS

    verbs = {verb.name for verb in VERBS}
    named = set(re.findall(r"recsysops (?:--workspace \S+ )?([a-z]+)\b", (ROOT / "README.md").read_text("utf-8")))
    assert named - {"on", "import"} <= verbs


def test_the_lock_is_where_the_docs_say(tmp_path: Path) -> None:
    with workspace_lock(tmp_path, "detect"):
        assert (tmp_path / "lock").exists()
