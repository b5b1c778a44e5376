"""Write the pages of the detectors, one each, from their docstrings, and the table of families in README.

Run by ``make docs``; a test holds that it changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from recsysops import registry
from recsysops.reporting.shelf import Described, described

ROOT = Path(__file__).parents[1]
FOLDER = "docs/detectors"
FAMILIES = {
    "input": "what the recommender is given: rows, columns, values, keys, joins, labels",
    "output": "what it answers: candidates, scores, slates, and how well they do",
    "model": "the artifacts, before they take traffic",
    "member": "what members look for, and how groups of them are served",
    "item": "each item beside others of its age: cold start, exposure, outcomes",
    "system": "volumes and rates as series, the logged sample, experiments",
}
NOTE = "<!-- written by `make docs` from the detector's docstring -->\n"


def pages() -> dict[str, str]:
    """Path below the checkout → text, of every page of the shelf."""
    cards = [described(plugin.name) for plugin in registry.plugins("detectors") if plugin.origin == "recsysops"]
    targets = {plugin.name: plugin.target for plugin in registry.plugins("detectors")}
    written = {f"{FOLDER}/{card.name}.md": page(card, targets[card.name]) for card in cards}
    return {f"{FOLDER}/README.md": index(by_family(cards)), **written}


def with_families(text: str) -> str:
    """README with its table as it is now; all else stays."""
    shelf = registry.plugins("detectors")
    names = [plugin.name for plugin in shelf if plugin.origin == "recsysops"]
    lines = ["| family | detectors | what they look at |", "|---|---|---|"]
    for family, what in FAMILIES.items():
        n = sum(name.startswith(f"{family}.") for name in names)
        lines.append(f"| [`{family}`]({FOLDER}/README.md#{family}) | {n} | {what} |")
    before, begin, rest = text.partition("<!-- detectors -->\n")
    _, end, after = rest.partition("<!-- /detectors -->")
    return before + begin + "\n".join(lines) + "\n" + end + after


def by_family(cards: Sequence[Described]) -> Mapping[str, list[Described]]:
    """The detectors of each family, in the order of the shelf.

    Raises:
        KeyError: for a family that ``FAMILIES`` does not tell of.
    """
    families: dict[str, list[Described]] = {family: [] for family in FAMILIES}
    for card in cards:
        families[card.name.partition(".")[0]].append(card)
    return families


def index(families: Mapping[str, Sequence[Described]]) -> str:
    """Every detector on a line, by family."""
    lines = [NOTE, "# Detectors\n"]
    lines.append(
        "`recsysops detectors show NAME` prints the same pages. How findings are weighed stands in "
        "[judging.md](../judging.md); rules of your own, without code, in [workspace.md](../workspace.md); incidents that "
        "became checks in [incidents.md](../incidents.md).\n"
    )
    for family, cards in families.items():
        lines += [f"## {family}\n", f"{FAMILIES[family][0].upper()}{FAMILIES[family][1:]}.\n"]
        lines += ["| detector | code | what it says |", "|---|---|---|"]
        lines += [f"| [`{card.name}`]({card.name}.md) | {card.code} | {_summary(card)} |" for card in cards]
        lines.append("")
    return "\n".join(lines)


def page(card: Described, target: str) -> str:
    """One detector: its facts, then the sections of its docstring; ``target`` is ``recsysops.detectors.tie_rate:TieRate``."""
    module, _, name = target.partition(":")
    source = module.removeprefix("recsysops.").replace(".", "/") + ".py"
    watches = ", ".join(f"`{table}`" for table in card.watches)
    lines = [NOTE, f"# {card.name}\n", f"{_summary(card)}\n"]
    lines.append(f"{card.code} · {card.severity} · stage {card.stage} · watches {watches} · [source](../../{source})\n")
    for title, text in sections(card.doc):
        lines.append(f"## {title}\n")
        if title == "Parameters":
            lines += _parameters(card)
            text = re.sub(r"^(\w+):", r"- `\1`:", text, flags=re.MULTILINE)
        if title == "Example":
            text = f"```python\n>>> from {module} import {name}\n{text}\n```"
        lines += [text, ""]
    lines.append("[All detectors](README.md)")
    return "\n".join(lines) + "\n"


def sections(doc: str) -> Iterator[tuple[str, str]]:
    """Title and text of each section of a docstring; code in prose as Markdown has it, examples as they are."""
    for title, body in re.findall(r"^([A-Z][A-Za-z ]+):\n((?:(?: {4}.*)?\n?)+)", doc, re.MULTILINE):
        text = re.sub(r"^ {4}", "", body, flags=re.MULTILINE).strip()
        yield title, text if title == "Example" else re.sub(r"\n +", "\n", text).replace("``", "`")


def _parameters(card: Described) -> Iterator[str]:
    if card.parameters:
        yield from ("| parameter | default | range |", "|---|---|---|")
        yield from (f"| `{one.name}` | {one.default} | {one.range} |" for one in card.parameters)
        yield ""


def _summary(card: Described) -> str:
    return card.doc.partition("\n")[0]


def main() -> None:
    """Write what changed, and remove pages of detectors that are no more."""
    wanted = pages()
    for stray in set((ROOT / FOLDER).glob("*.md")) - {ROOT / path for path in wanted}:
        stray.unlink()
    (ROOT / FOLDER).mkdir(exist_ok=True)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for path, text in {**wanted, "README.md": with_families(readme)}.items():
        (ROOT / path).write_text(text, encoding="utf-8")
    print(f"{FOLDER}: {len(wanted)} pages, and the table in README.md")


if __name__ == "__main__":
    main()
