"""From the shelf to detectors that are ready to judge: chosen by name, built with the workspace's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from pydantic import ValidationError

from recsysops.errors import ConfigError, PluginError
from recsysops.profiles.measures import Measure
from recsysops.registry import Plugin, plugin, plugins
from recsysops.tables.schema import Schema
from recsysops.triage.detector import Detector, Tier
from recsysops.triage.findings import Skipped


@dataclass(frozen=True)
class Loaded:
    """Detectors in shelf order, and those whose plugin could not be imported."""

    detectors: tuple[Detector, ...]
    skipped: tuple[Skipped, ...]
    measures: tuple[Measure, ...] = ()
    """What the detectors asked for, each once; after ``asking``."""

    def of_tier(self, tier: Tier) -> Loaded:
        """Those of the detectors that judge in this tier."""
        return replace(self, detectors=tuple(one for one in self.detectors if tier in one.meta.tiers))

    def asking(self, schema: Schema) -> Loaded:
        """The same with what they ask to be counted; a detector that fails to say so is skipped."""
        wanted: dict[Measure, None] = {}
        able, failed = [], []
        for detector in self.detectors:
            try:
                wanted |= dict.fromkeys(detector.measures(schema))
                able.append(detector)
            except Exception as error:  # as when judging: a broken detector silences only itself
                failed.append(Skipped(detector.meta.name, "failed", f"{type(error).__name__}: {error}"))
        return Loaded(tuple(able), (*self.skipped, *failed), tuple(wanted))


def load_detectors(
    parameters: Mapping[str, Mapping[str, Any]],
    *,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    declared: Sequence[Detector] = (),
) -> Loaded:
    """Import and build the chosen detectors.

    Args:
        parameters: by detector name, from ``recsysops.yaml``.
        only: names or globs to keep; all when empty.
        skip: names or globs to leave out.
        declared: detectors made of the workspace's concerns and checks; they come last.

    Raises:
        PluginError: if ``parameters`` or a pattern of ``only`` or ``skip`` name no detector.
        ConfigError: if parameters do not fit their detector.
    """
    for name in parameters:
        plugin("detectors", name)
    detectors: list[Detector] = []
    skipped = []
    for entry in _chosen(only, skip, [one.meta.name for one in declared]):
        try:
            cls = entry.load()
        except PluginError as error:
            skipped.append(Skipped(entry.name, "failed", str(error)))
            continue
        detectors.append(_built(cls, entry.name, parameters.get(entry.name, {})))
    detectors += [
        one for one in declared if _matches(one.meta.name, only or ("*",)) and not _matches(one.meta.name, skip)
    ]
    return Loaded(tuple(detectors), tuple(skipped))


def _chosen(only: Sequence[str], skip: Sequence[str], declared: Sequence[str]) -> list[Plugin]:
    known = plugins("detectors")
    for pattern in (*only, *skip):
        if not any(fnmatchcase(name, pattern) for name in (*(entry.name for entry in known), *declared)):
            plugin("detectors", pattern, declared)  # raises, with the nearest name
    return [entry for entry in known if _matches(entry.name, only or ("*",)) and not _matches(entry.name, skip)]


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _built(cls: Any, name: str, parameters: Mapping[str, Any]) -> Detector:
    try:
        detector: Detector = cls(cls.Params(**parameters))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(["detectors", name, *(str(part) for part in first["loc"])])
        found = repr(first["input"]) if first["type"] != "extra_forbidden" else "an unknown parameter"
        advice = f"`recsysops detectors show {name}` lists them"
        raise ConfigError(where, found=found, expected=str(first["msg"]).lower(), next_step=advice) from None
    return detector
