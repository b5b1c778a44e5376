"""Self-contained pages from templates: everything that comes from data is escaped, nothing is fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recsysops.reporting.numbers import number, percent
from recsysops.reporting.plain import literal

TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, values: dict[str, Any], folder: Path = TEMPLATES) -> str:
    """The whole page as text; a room with templates of its own names their folder, the style sheets are shared."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([folder, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(literal=literal, percent=percent, number=number)
    return environment.get_template(template).render(**values) + "\n"


def write_page(text: str, path: Path) -> None:
    """Put a page in place, whole or not at all.

    Raises:
        OSError: if the file cannot be written.
    """
    from recsysops.tables.atomic import write_atomically

    write_atomically(path, lambda target: target.write_text(text, encoding="utf-8"))
