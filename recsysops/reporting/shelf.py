"""What stands on a shelf: one line per plugin, or one plugin in full."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from textwrap import indent
from typing import Any

from recsysops.config.own_rules import OwnRule
from recsysops.registry import Shelf, plugin, plugins
from recsysops.reporting.lines import Column, Line, table, wrapped
from recsysops.reporting.plain import literal

META = ("code", "name", "watches", "severity", "stage")
"""Order of the arguments of ``DetectorMeta``, which is not imported: it would load pydantic."""


@dataclass(frozen=True)
class Listed:
    """A plugin as a list shows it; what its source does not say in plain words is empty."""

    name: str
    code: str
    severity: str
    summary: str
    origin: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a plugin: its default, its range in words, and what it means."""

    name: str
    default: Any
    range: str
    meaning: str


@dataclass(frozen=True)
class Described:
    """A plugin in full."""

    name: str
    code: str
    severity: str
    stage: str
    watches: tuple[str, ...]
    origin: str
    doc: str
    parameters: tuple[Parameter, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def listed(shelf: Shelf, own: Iterable[OwnRule] = ()) -> tuple[Listed, ...]:
    """Every plugin of the shelf, in its order, then the workspace's own rules; imports none of them."""
    rows = []
    for entry in plugins(shelf):
        meta = entry.declared(META)
        code, severity = str(meta.get("code", "")), str(meta.get("severity", ""))
        rows.append(Listed(entry.name, code, severity, entry.summary(), entry.origin))
    rows += [Listed(rule.name, rule.code, rule.severity, rule.summary, rule.file) for rule in own]
    return tuple(rows)


def listed_lines(shelf: Shelf, rows: Sequence[Listed], width: int) -> Iterator[Line]:
    """A count, then a line for each; the code leaves first when the screen is narrow, then the severity."""
    yield Line(f"{len(rows)} {shelf}", "bold")
    yield from table(
        (
            Column("name", tuple(literal(row.name) for row in rows)),
            Column("code", tuple(literal(row.code) for row in rows), drop=2),
            Column("severity", tuple(literal(row.severity) for row in rows), drop=1),
            Column("what it says", tuple(_what(row) for row in rows), is_last=True),
        ),
        width,
    )
    yield Line("")
    yield Line(f"next   recsysops {shelf} show {rows[0].name}" if rows else "")


def described(name: str, own: Sequence[OwnRule] = ()) -> Described:
    """One detector in full; this imports it, unless it is one of the workspace's own rules.

    Raises:
        PluginError: if there is no such detector, or it cannot be imported.
    """
    rule = next((one for one in own if one.name == name), None)
    if rule is not None:
        return _described_rule(rule)
    entry = plugin("detectors", name, [one.name for one in own])
    cls = entry.load()
    meta = cls.meta
    parameters = tuple(_parameter(field, info) for field, info in cls.Params.model_fields.items())
    doc = inspect.cleandoc(cls.__doc__ or "")
    return Described(
        meta.name, meta.code, meta.severity, meta.stage, tuple(meta.watches), entry.origin, doc, parameters
    )


def _described_rule(rule: OwnRule) -> Described:
    """What a rule states, as it stands in its file; its stage is that of the detector it asks, where there is one."""
    from recsysops.config.yaml_dialect import dump_yaml

    asked = next((one for one in plugins("detectors") if one.name == rule.stated.get("detector")), None)
    stage = str(asked.declared(META).get("stage", "world")) if asked is not None else "world"
    table = str(rule.stated.get("table") or "candidates")
    doc = f"{rule.summary}\n\nStated in {rule.file}:\n" + indent(dump_yaml(dict(rule.stated)).rstrip(), "    ")
    return Described(rule.name, rule.code, rule.severity, stage, (table,), rule.file, doc, ())


def described_lines(card: Described, width: int) -> Iterator[Line]:
    """Name and severity, the docstring, the parameters as a table, and where to set them."""
    yield Line(literal(f"{card.name} · {card.code} · {card.severity} · stage {card.stage}", width), "bold")
    yield Line("")
    for text in card.doc.splitlines():
        yield from wrapped(literal(text.strip()), width, indent=len(text) - len(text.lstrip()))
    yield Line("")
    yield Line(literal(f"needs  {', '.join(card.watches)} · from {card.origin}", width))
    if card.parameters:
        yield Line("")
        yield from table(_parameter_columns(card.parameters), width)
        yield Line("")
        first = card.parameters[0]
        yield Line(f"set in recsysops.yaml   detectors: {{{card.name}: {{{first.name}: {first.default}}}}}")
    yield Line(f"next   recsysops detect --only {card.name}")


def _parameter_columns(parameters: Sequence[Parameter]) -> tuple[Column, ...]:
    return (
        Column("parameter", tuple(literal(parameter.name) for parameter in parameters)),
        Column("default", tuple(literal(parameter.default) for parameter in parameters)),
        Column("range", tuple(literal(parameter.range) for parameter in parameters), drop=1),
        Column("meaning", tuple(literal(parameter.meaning) for parameter in parameters), is_last=True),
    )


def _parameter(name: str, info: Any) -> Parameter:
    bounds = [f"{sign} {getattr(item, word)}" for item in info.metadata for word, sign in _SIGNS if hasattr(item, word)]
    return Parameter(name, info.get_default(call_default_factory=True), ", ".join(bounds), info.description or "")


_SIGNS = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


def _what(row: Listed) -> str:
    origin = "" if row.origin == "recsysops" else f" ({row.origin})"
    return literal(row.summary + origin)
