"""The views there are, as contracts: what one row of each is and by what it is known."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from recsysops.tables.contract import FLAG, ID, LABEL, NUMBER, TABLES, TIME, Role, TableContract

_REQUEST = Role("request_id", ID, "the request", is_required=True)
_TS = Role("ts", TIME, "when the request was served", is_required=True)
_MEMBER = Role("member_id", ID, "who asked")
_ITEM = Role("item_id", ID, "the item")

REQUESTS = TableContract("requests", "a logged request", (_REQUEST, _TS, _MEMBER), "ts", ("request_id",))
IMPRESSIONS = TableContract(
    "impressions",
    "a candidate that was shown, with what the catalogue knew of it",
    (_REQUEST, _TS, _MEMBER, _ITEM, Role("position", NUMBER, "1-based place on the slate")),
    "ts",
    ("request_id", "item_id", "position"),
)
CONTENDERS = TableContract(
    "contenders",
    "a candidate that earned a place on the slate by the model's rank, or was given one",
    (_REQUEST, _TS, _MEMBER, _ITEM, Role("position", NUMBER, "1-based place on the slate")),
    "ts",
    ("request_id", "item_id", "position"),
)
RETRIEVED = TableContract(
    "retrieved",
    "a candidate by the source that found it",
    (_REQUEST, _TS, _ITEM, Role("found_as", LABEL, "the source and the item")),
    "ts",
    ("request_id", "found_as"),
)
LABELS = TableContract(
    "labels",
    "an impression with what followed it within the label age; dated by the end of that age",
    (
        _REQUEST,
        Role("ts", TIME, "when the request was served, plus the label age", is_required=True),
        _MEMBER,
        _ITEM,
        Role("position", NUMBER, "1-based place on the slate"),
        Role("shown", FLAG, "true"),
    ),
    "ts",
    ("request_id", "item_id", "position"),
)
RANKED_REQUESTS = TableContract(
    "ranked_requests",
    "a request with how well it was ranked, judged by what followed within the label age; dated by the end of that age",
    (_REQUEST, Role("ts", TIME, "when the request was served, plus the label age", is_required=True), _MEMBER),
    "ts",
    ("request_id",),
)
ATTRIBUTED = TableContract(
    "attributed",
    "an outcome with the request that it followed",
    (
        Role("request_id", ID, "the request it names, or the member's last one before"),
        Role("ts", TIME, "when it happened", is_required=True),
        _MEMBER,
        _ITEM,
        Role("kind", LABEL, "play, click, purchase …"),
        Role("origin", LABEL, "slate, search or external"),
    ),
    "ts",
    ("request_id", "item_id", "ts", "kind"),
)

_KEY = Role("key", ID, "the item or member", is_required=True)
_AS_OF = Role("as_of", TIME, "as of when the row is", is_required=True)
REPLAYED = TableContract(
    "replayed",
    "a sampled request, scored again by the model that served it",
    (_REQUEST, _TS, _MEMBER),
    "ts",
    ("request_id",),
)
TRACED = TableContract(
    "traced",
    "a sampled candidate, each of its features held against its declared source",
    (_REQUEST, _TS, _MEMBER, _ITEM),
    "ts",
    ("request_id", "item_id"),
)
ITEM_STEPS = TableContract(
    "item_steps", "an item's features against those of the day before", (_KEY, _AS_OF), "as_of", ("key", "as_of")
)
MEMBER_STEPS = TableContract(
    "member_steps", "a member's features against those of the day before", (_KEY, _AS_OF), "as_of", ("key", "as_of")
)
SERVED_FACTS = TableContract(
    "served_facts",
    "an impression, with what the log and the upstream tables say of its item and member",
    (_REQUEST, _TS, _ITEM),
    "ts",
    ("request_id", "item_id"),
)
ITEM_FACTS = TableContract(
    "item_facts",
    "an item's feature row, with what it and the catalogue say of the item",
    (_KEY, _AS_OF),
    "as_of",
    ("key", "as_of"),
)

CONTRACTS: Mapping[str, TableContract] = MappingProxyType(
    {
        **TABLES,
        **{
            one.name: one
            for one in (
                REQUESTS,
                IMPRESSIONS,
                CONTENDERS,
                RETRIEVED,
                LABELS,
                RANKED_REQUESTS,
                ATTRIBUTED,
                REPLAYED,
                TRACED,
                ITEM_STEPS,
                MEMBER_STEPS,
                SERVED_FACTS,
                ITEM_FACTS,
            )
        },
    }
)
"""Every table that measures may name: those of the user's, and the views derived from them."""
