"""What leaves the house: text from data that no chat reads as markup, and no member's id."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from recsysops.config.settings import WorkspaceSettings
from recsysops.incidents.incident import Incident
from recsysops.profiles.slices import Slice
from recsysops.triage.findings import Finding, Subject

JOINER = "\u2060"
"""Takes no room and breaks no line: between two characters it keeps a chat from reading them as markup."""
_MARKUP = re.compile(r"[<>@*`~|\\]|\]\(|_(?![A-Za-z0-9])|(?<![A-Za-z0-9])_|://|(?m:^#)|:(?=[a-z0-9_+-]+:)")
SOMEBODY = "(one member)"


def harmless(text: str) -> str:
    """The same text to the eye, with nothing in it that mentions, links or formats in any chat.

    Example:
        >>> harmless("@all *x* original_language") == "@\\u2060all *\\u2060x*\\u2060 original_language"
        True
    """
    return _MARKUP.sub(lambda found: found[0][:1] + JOINER + found[0][1:], text)


def member_columns(settings: WorkspaceSettings) -> frozenset[str]:
    """Columns that hold members' ids, in any table."""
    columns = {table.roles.get("member_id") for table in settings.tables.values()}
    key = settings.tables["member_features"].roles.get("key") if "member_features" in settings.tables else None
    return frozenset(name for name in (*columns, key) if name)


def without_members(
    incident: Incident, findings: Sequence[Finding], columns: Collection[str]
) -> tuple[Incident, tuple[Finding, ...]]:
    """Incident and findings in which ``(one member)`` stands for every member's id."""
    ids = {one.subject.id for one in findings if one.subject.kind == "member"}
    ids |= {one.slice.value for one in findings if one.slice.dimension in columns}
    kind, _, name = incident.entity.partition(" ")
    column, _, value = incident.where.partition("=")
    ids |= {name} if kind == "member" else set()
    ids |= {value} if column in columns else set()
    shown = tuple(_finding(one, ids, columns) for one in findings)
    return replace(
        incident,
        headline=_without(incident.headline, ids),
        entity=SOMEBODY if kind == "member" else incident.entity,
        where=SOMEBODY if column in columns else incident.where,
    ), shown


def _finding(finding: Finding, ids: Collection[str], columns: Collection[str]) -> Finding:
    subject = Subject("member", SOMEBODY) if finding.subject.kind == "member" else finding.subject
    where = Slice(finding.slice.dimension, SOMEBODY) if finding.slice.dimension in columns else finding.slice
    return replace(finding, subject=subject, slice=where, headline=_without(finding.headline, ids))


def _without(text: str, ids: Collection[str]) -> str:
    for name in sorted(filter(None, ids), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", SOMEBODY, text)
    return text
