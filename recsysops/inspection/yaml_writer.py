"""The commented ``recsysops.yaml`` that ``init`` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from recsysops.config.load import FILE_NAME
from recsysops.config.settings import TableSettings
from recsysops.config.variables import escape_variables
from recsysops.config.yaml_dialect import quote_yaml
from recsysops.errors import ConfigError
from recsysops.inspection.time_guess import unit_comment
from recsysops.inspection.values import Doubt, Inference, TableGuess
from recsysops.tables.atomic import write_atomically
from recsysops.tables.contract import TABLES
from recsysops.tables.slates import INDEX_COLUMN

_HEAD = """\
# The workspace: which files hold which table, and what their columns mean to recsysops.
# Written by `recsysops init`; edit it freely, then run `recsysops check`.
# ${NAME} takes a value from the environment in state, path and secrets; $${ is a literal ${.
version: 1
"""
_MAX_SHOWN = 30


def write_workspace_yaml(inference: Inference) -> str:
    """The proposal as YAML with comments; ``# unsure:`` stands beside what the data did not settle.

    :func:`recsysops.config.load.load_settings` reads it back as ``inference.settings``.
    """
    doubts: dict[str, list[Doubt]] = {}
    for doubt in inference.doubts:
        doubts.setdefault(doubt.where, []).append(doubt)
    return "\n".join(_lines(inference, doubts)) + "\n"


def save_workspace(inference: Inference, root: Path, *, force: bool = False) -> Path:
    """Write ``recsysops.yaml`` whole into ``root`` and return its path.

    Raises:
        ConfigError: if there is one already and ``force`` is not given.
    """
    path = root / FILE_NAME
    if not force and (path.exists() or path.is_symlink()):
        raise ConfigError(
            str(path), found="a workspace already", expected="none", next_step="edit it, or pass --force to replace it"
        )
    text = write_workspace_yaml(inference)
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path


def _lines(inference: Inference, doubts: Mapping[str, list[Doubt]]) -> Iterator[str]:
    settings = inference.settings
    yield from _HEAD.splitlines()
    yield f"name: {_text(settings.name)}"
    yield f"timezone: {_text(settings.timezone)}  # of timestamps that name no zone; days are UTC days"
    yield f"clock: {settings.clock}  # wall: now is now; archive: the newest row is now{_unsure(doubts, 'clock')}"
    yield f"state: {_text(settings.state.folder)}  # folder for profiles, locks and the state database"
    for note in inference.notes:
        yield f"# {_comment(note)}"
    for where, each in doubts.items():
        if where.startswith("source "):
            yield f"# {_comment(where)}{_unsure(doubts, where)}" if each else ""
    yield ""
    yield "tables:"
    for guess in inference.tables:
        yield from _table(guess, settings.tables[guess.table], doubts)


def _table(guess: TableGuess, table: TableSettings, doubts: Mapping[str, list[Doubt]]) -> Iterator[str]:
    where = f"tables.{guess.table}"
    yield f"  {guess.table}:  # one row is {TABLES[guess.table].one_row_is}"
    yield "    source:"
    yield f"      path: {_text(table.source.path)}  # file, folder or glob, relative to this file"
    yield f"      format: {_text(table.source.format)}"
    if table.source.table is not None:
        yield f"      table: {_text(table.source.table)}"
    if table.source.options:
        yield "      options:"
        yield from (f"        {_text(name)}: {_text(str(value))}" for name, value in table.source.options.items())
    for doubt in doubts.get(f"{where}.timezone", []):
        yield f"    timezone: {_text(doubt.chosen)}{_unsure(doubts, f'{where}.timezone')}"
    yield from _roles(guess, doubts)
    yield from _list("unnest", table.unnest, "arrays, one entry per candidate of the request")
    yield from _list("features", table.features, "what the model (or an upstream table) knows; names or globs")
    yield from _list("slices", table.slices, "every count is split by each of these")
    yield from _rest("could be slices as well", guess.more_slices)
    if table.columns:
        yield "    columns:  # what else is known of a column"
        for name, column in table.columns.items():
            yield f"      {_text(name)}:"
            if column.kind:
                yield f"        kind: {column.kind}"
            if column.mask:
                yield f"        mask: {_text(column.mask)}  # true where the value was filled with a default"
    yield from _rest("not used", guess.unused)
    for doubt in doubts.get(f"{where}.columns", []):
        yield f"    # unsure: {_comment(doubt.chosen)}: {_comment(doubt.why)}"


def _roles(guess: TableGuess, doubts: Mapping[str, list[Doubt]]) -> Iterator[str]:
    where = f"tables.{guess.table}.roles"
    yield "    roles:  # role: column of the logs" if guess.roles else "    roles: {}"
    for role, column in guess.roles.items():
        unit = unit_comment(guess.sample.column(column)) if column != INDEX_COLUMN else ""
        yield f"      {role}: {_text(column)}{f'  # {unit}' if unit else ''}{_unsure(doubts, f'{where}.{role}')}"
    for role in TABLES[guess.table].required:
        if role not in guess.roles:
            yield f"      # {role}: required, and no column looks like it"


def _list(key: str, names: list[str], comment: str) -> Iterator[str]:
    if names:
        yield f"    {key}:  # {comment}"
        yield from (f"      - {_text(name)}" for name in names)


def _rest(what: str, names: tuple[str, ...]) -> Iterator[str]:
    if names:
        shown = ", ".join(_comment(name) for name in names[:_MAX_SHOWN])
        more = f" and {len(names) - _MAX_SHOWN} more" if len(names) > _MAX_SHOWN else ""
        yield f"    # {what}: {shown}{more}"


def _unsure(doubts: Mapping[str, list[Doubt]], where: str) -> str:
    parts = []
    for doubt in doubts.get(where, []):
        others = f" (or {', '.join(_comment(name) for name in doubt.alternatives)})" if doubt.alternatives else ""
        parts.append(f"{_comment(doubt.why)}{others}")
    return f"  # unsure: {'; '.join(parts)}" if parts else ""


def _text(value: str) -> str:
    return quote_yaml(str(escape_variables(value)))


def _comment(text: str) -> str:
    """Text that cannot end its comment: whatever is not printable is escaped, very long names are cut."""
    shown = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
    return shown if len(shown) <= 200 else f"{shown[:199]}…"
