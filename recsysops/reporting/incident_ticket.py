"""A ticket as Markdown, to be pasted into whatever the owner reads."""

from __future__ import annotations

from collections.abc import Iterator

from recsysops.incidents.ticket import Fact, Ticket
from recsysops.reporting.lines import NARROW
from recsysops.reporting.numbers import count, interval, of_statistic, percent
from recsysops.reporting.plain import literal

N_FACTS, N_ITEMS = 6, 10


def ticket_markdown(ticket: Ticket, csv_name: str = "") -> str:
    """The ticket's text; names from data are shown literally.

    Args:
        ticket: what it says.
        csv_name: the file that holds all affected items, if one was written.
    """
    return "\n".join(_lines(ticket, csv_name)).replace(NARROW, " ") + "\n"


def _lines(ticket: Ticket, csv_name: str) -> Iterator[str]:
    incident = ticket.incident
    yield f"# {_text(ticket.title)}"
    yield ""
    yield f"- **To**: {_text(ticket.owner) or 'the owner (none is named in the settings)'}"
    source = f", filled from {_code(ticket.lineage)}" if ticket.lineage else ""
    yield f"- **About**: {_code(ticket.about)}{source}"
    yield f"- **Since**: {incident.onset}, last seen {incident.last_seen}"
    share = f", {percent(incident.impact)} of rows" if incident.impact > 0 else ""
    yield f"- **Severity**: {incident.severity}{share} (incident #{incident.id})"
    yield ""
    yield "## Expected and found"
    yield ""
    for fact in ticket.facts[:N_FACTS]:
        yield f"- {_fact(fact)}"
    if len(ticket.facts) > N_FACTS:
        yield f"- and {len(ticket.facts) - N_FACTS} more of the same cause"
    yield ""
    yield from _items(ticket, csv_name)
    yield from _queries(ticket)


def _fact(fact: Fact) -> str:
    expected = "" if fact.expected is None else f"expected about {of_statistic(fact.statistic, fact.expected)}, "
    bounds = interval(fact.low, fact.high, fact.statistic)
    found = f"{expected}found {of_statistic(fact.statistic, fact.found)}{' ' + bounds if bounds else ''}"
    where = f" in {_text(fact.where)}" if fact.where else ""
    return f"{_text(fact.what)}{where}: {_text(fact.statistic)} {found} on {fact.day}"


def _items(ticket: Ticket, csv_name: str) -> Iterator[str]:
    affected = ticket.affected
    yield "## Affected items"
    yield ""
    if not affected.ids:
        yield f"No list: {_text(affected.reason or 'no row of these days meets the condition any more')}."
        yield ""
        return
    file = f"; all of them in {_code(csv_name)}" if csv_name else ""
    shown = f", the first {N_ITEMS}" if len(affected.ids) > N_ITEMS else ""
    yield f"{count(len(affected.ids), 'item')}{shown}{file}:"
    yield ""
    yield "```csv"
    yield "item_id,n_rows"
    yield from (f"{literal(item).replace('`', chr(39))},{n_rows}" for item, n_rows in affected.ids[:N_ITEMS])
    yield "```"
    yield ""


def _queries(ticket: Ticket) -> Iterator[str]:
    queries = dict.fromkeys(query for query in (ticket.facts[0].query, ticket.affected.query) if query)
    if not queries:
        return
    yield "## See it again (DuckDB SQL, on the table's own files)"
    yield ""
    yield "```sql"
    yield from (literal(query).replace("```", "'''") + ";" for query in queries)
    yield "```"


def _text(value: object) -> str:
    """Plain text inside Markdown: nothing from data becomes markup or a link."""
    shown = literal(value)
    for mark in "\\`*[]<>|":
        shown = shown.replace(mark, f"\\{mark}")
    return shown


def _code(value: object) -> str:
    return f"`{literal(value).replace('`', chr(39))}`"
