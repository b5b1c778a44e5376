"""Draw the pictures of the terminal in README and docs: the demo's screens, exported by the program itself.

Run by ``make docs``; writes ``docs/pictures/*.svg``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from recsysops import Workspace
from recsysops.cli.demo import TABLES, copy_sample
from recsysops.inspection.infer import infer_workspace
from recsysops.inspection.yaml_writer import save_workspace
from recsysops.reporting.check_view import check_lines
from recsysops.reporting.compare_view import compare_lines
from recsysops.reporting.detect_view import detect_lines
from recsysops.reporting.lines import Line
from recsysops.reporting.picture import export_svg, recorded

PICTURES = Path(__file__).parent / "pictures"
WIDTH = 100


def draw(name: str, command: str, lines: Iterable[Line]) -> None:
    """One screen, with the command that showed it as its title."""
    PICTURES.mkdir(exist_ok=True)
    export_svg(recorded(lines, WIDTH), PICTURES / f"{name}.svg", title=command)
    print(f"docs/pictures/{name}.svg")


def main() -> None:
    """Make the demo's workspace in a temporary folder and draw what its commands show."""
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "open-bandit"
        copy_sample(root, force=False)
        save_workspace(infer_workspace([str(root / table) for table in TABLES], root, name="open-bandit"), root)
        workspace = Workspace(root)
        draw("check", "recsysops check", check_lines(workspace.check(), WIDTH))
        draw("detect", "recsysops detect", detect_lines(workspace.detect(), WIDTH))
        compared = workspace.compare("policy=random", "policy=bts")
        words = "recsysops compare --reference policy=random --current policy=bts"
        draw("compare", words, compare_lines(compared, WIDTH))


if __name__ == "__main__":
    main()
