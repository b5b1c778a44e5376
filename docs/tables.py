"""Keep the lists in docs/drills.md equal to the program: the seams with their columns, and the benign events.

Run by ``make docs``; a test holds that it changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from recsysops.drills.fault import SEAMS
from recsysops.drills.world.benign.schedule import KINDS
from recsysops.drills.world.features import LANG_MATCH_MASK, MODEL_FEATURES
from recsysops.testing.service_rows import service_day

PAGE = Path(__file__).parent / "drills.md"
IN_FEATURES = {*MODEL_FEATURES, LANG_MATCH_MASK}


def with_lists(text: str) -> str:
    """The page with both lists as they are now; all else stays."""
    for name, lines in (("seams", seam_lines()), ("benign", benign_lines())):
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        text = before + begin + "".join(line + "\n" for line in lines) + end + after
    return text


def seam_lines() -> Iterator[str]:
    """A row per seam, with what passes there on a day of a tiny service."""
    rows = service_day().rows
    yield from ("| seam | rows | columns |", "|---|---|---|")
    for seam, text in SEAMS.items():
        yield f"| `{seam}` | {text} | {columns(list(rows[seam]))} |"


def columns(names: Sequence[str]) -> str:
    """Names in code; numbered ones and the model's features as one word."""
    rest = [name for name in names if name not in IN_FEATURES]
    is_vector = len(names) - len(rest) > len(IN_FEATURES) // 2
    shown = [re.sub(r"^(emb|taste|affinity)_\w+$", r"\1_…", name) for name in (rest if is_vector else names)]
    return ", ".join([*(f"`{name}`" for name in dict.fromkeys(shown)), *(["the features"] if is_vector else [])])


def benign_lines() -> Iterator[str]:
    """A line per kind of benign event."""
    for kind in KINDS:
        yield "- " + (kind.__doc__ or "").partition("\n")[0]


if __name__ == "__main__":
    PAGE.write_text(with_lists(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print("docs/drills.md")
