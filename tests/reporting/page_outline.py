"""What tests of pages look at: the outline of a page, its words, a diagnosis of a kind that the page knows nothing of."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

from recsysops.cases.diagnosis import Diagnosis
from recsysops.cases.evidence import Evidence
from recsysops.cases.subject import Window
from recsysops.cases.verdict import Hypothesis, Verdict

VOID = {"meta", "br"}


class Outline(HTMLParser):
    """Elements, texts, and whether what was opened is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def drawings(self) -> list[str]:
        """What is said of each."""
        found = [one for tag, one in self.elements if tag == "svg" and one.get("role") == "img"]
        return [one["aria-label"] or "" for one in found]


def plain(page: str) -> str:
    return page.replace("\u00a0", " ").replace("&#39;", "'")


def of_member(evidence: tuple[Evidence, ...]) -> Diagnosis:
    """A subject whose steps the page knows nothing of."""
    signs = evidence[0].signs if evidence else ()
    verdict = Verdict(
        "serving", "cache", "cache c1", "suspected", 0.7, None, "stale", (Hypothesis("serving", "cache", "cache c1", 0.7, signs),)
    )  # fmt: skip
    window = Window(datetime(2026, 10, 31, 8, tzinfo=UTC), datetime(2026, 10, 31, 20, 30, tzinfo=UTC))
    return Diagnosis("member", "m-17", window, verdict, evidence, {"segment": "new"}, "", ("show plays",))
