"""What a workspace file may not do, seen from its parse events, before anything is built from them."""

from __future__ import annotations

from dataclasses import dataclass, field

import yaml
from yaml import events

from recsysops.errors import ConfigError

MAX_NODES = 100_000
"""Scalars, lists and mappings of one file, aliases counted as often as they are used."""
MAX_DEPTH = 40


def refuse_hostile_yaml(text: str, where: str) -> None:
    """Refuse tags, several documents, and anchors or nesting that blow up when expanded.

    Costs one pass and stops at the first limit, so a billion laughs is refused after a few lines.

    Raises:
        ConfigError: naming the place.
        yaml.YAMLError: if the text is not YAML.
    """
    count = _Count()
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        mark = event.start_mark
        place = f"{where}:{mark.line + 1}:{mark.column + 1}" if mark else where
        _refuse_event(event, count, place)
        count.see(event, place)


@dataclass
class _Count:
    """Expanded sizes: of everything so far, of each finished anchor, and of the collections still open."""

    total: int = 0
    n_documents: int = 0
    anchors: dict[str, int] = field(default_factory=dict)
    stack: list[tuple[str | None, int]] = field(default_factory=list)

    def see(self, event: events.Event, place: str) -> None:
        """Add one event."""
        if isinstance(event, events.AliasEvent):
            if event.anchor not in self.anchors:
                raise ConfigError(
                    place, found=f"an alias to {str(event.anchor)[:60]!r}", expected="an anchor defined before it"
                )
            self.total += self.anchors[event.anchor]
        elif isinstance(event, events.ScalarEvent):
            self.total += 1
            if event.anchor:
                self.anchors[event.anchor] = 1
        elif isinstance(event, events.CollectionStartEvent):
            self.stack.append((event.anchor, self.total))
            self.total += 1
        elif isinstance(event, events.CollectionEndEvent):
            anchor, before = self.stack.pop()
            if anchor:
                self.anchors[anchor] = self.total - before
        self._refuse_size(place)

    def _refuse_size(self, place: str) -> None:
        if self.total > MAX_NODES:
            raise ConfigError(place, found=f"more than {MAX_NODES:,} values", expected="fewer, aliases written out")
        if len(self.stack) > MAX_DEPTH:
            raise ConfigError(place, found=f"nesting deeper than {MAX_DEPTH}", expected="at most that")


def _refuse_event(event: events.Event, count: _Count, place: str) -> None:
    tag = getattr(event, "tag", None)
    if tag is not None:
        raise ConfigError(place, found=f"the tag {tag[:60]!r}", expected="plain values", next_step="remove the tag")
    if isinstance(event, events.DocumentStartEvent):
        count.n_documents += 1
        if count.n_documents > 1:
            raise ConfigError(place, found="a second document (---)", expected="one document per file")
