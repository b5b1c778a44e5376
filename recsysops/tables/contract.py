"""The data contract: which tables there are, what one row of each is, and the roles its columns play."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Kind = Literal["numeric", "categorical", "timestamp", "boolean", "other"]
"""How a column is counted; ``other`` (lists, structs, binary) is carried but not counted."""


@dataclass(frozen=True)
class Role:
    """What a column means to us, whatever it is called in the user's logs."""

    name: str
    kinds: tuple[Kind, ...]
    meaning: str
    is_required: bool = False
    unlocks: str = ""
    """What becomes possible with it, said by ``recsysops check`` when it is missing."""


@dataclass(frozen=True)
class TableContract:
    """One table of the contract."""

    name: str
    one_row_is: str
    roles: tuple[Role, ...]
    clock: str
    """The role that places a row in time ("" where there is none)."""
    key: tuple[str, ...]
    """The roles that identify a row; two rows with equal keys are duplicates."""

    def role(self, name: str) -> Role | None:
        """The role of that name, or None."""
        return next((role for role in self.roles if role.name == name), None)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the roles without which the table cannot be used."""
        return tuple(role.name for role in self.roles if role.is_required)


ID: tuple[Kind, ...] = ("categorical", "numeric")
NUMBER: tuple[Kind, ...] = ("numeric",)
TIME: tuple[Kind, ...] = ("timestamp",)
FLAG: tuple[Kind, ...] = ("boolean", "numeric")
LABEL: tuple[Kind, ...] = ("categorical", "numeric", "boolean")
ANY: tuple[Kind, ...] = ("categorical", "numeric", "boolean", "timestamp", "other")

CANDIDATES = TableContract(
    "candidates",
    "a candidate of a logged request, shown or not",
    (
        Role("request_id", ID, "the request the candidate was scored for", is_required=True),
        Role("ts", TIME, "when the request was served", is_required=True),
        Role("item_id", ID, "the candidate item", is_required=True),
        Role("member_id", ID, "who asked", unlocks="reach per member and member-level checks"),
        Role(
            "position",
            NUMBER,
            "1-based place on the slate, empty if not shown",
            unlocks="examination-weighted exposure",
        ),
        Role("shown", FLAG, "whether the candidate became an impression", unlocks="candidates that were not shown"),
        Role("raw_score", NUMBER, "the model's score before calibration and policy", unlocks="shifts of the raw score"),
        Role("score", NUMBER, "the score the slate was ordered by", unlocks="score checks (invalid, shifted)"),
        Role("raw_rank", NUMBER, "rank by raw score", unlocks="policy effects: raw rank against final rank"),
        Role("final_rank", NUMBER, "rank after policy", unlocks="policy effects: raw rank against final rank"),
        Role(
            "propensity",
            NUMBER,
            "probability of this item at this position",
            unlocks="estimates of outcomes for quotes",
        ),
        Role("model_id", LABEL, "the model that scored", unlocks="comparison of models"),
        Role("candidate_source", LABEL, "the retrieval source", unlocks="candidates per retrieval source"),
        Role("filtered_by", LABEL, "the rule that removed the candidate", unlocks="where items are lost"),
        Role("override_generation", NUMBER, "generation of the live overrides", unlocks="effects of hotfixes"),
        Role("sampling_rate", NUMBER, "probability that this request was logged", unlocks="weighted totals"),
        Role("seed", NUMBER, "random seed of the request", unlocks="exact replay of random choices"),
        Role("feature_schema", LABEL, "version of the feature list", unlocks="separation of feature versions"),
        Role("host", LABEL, "the machine that served", unlocks="faults of one host"),
        Role("client_version", LABEL, "the client that asked", unlocks="faults of one client"),
        Role("consumer", LABEL, "who uses the scores", unlocks="checks per consumer"),
        Role("experiment_arm", LABEL, "arm of a running experiment", unlocks="balance of experiments"),
        Role("fallback", FLAG, "whether a fallback answered", unlocks="fallback rate"),
        Role("latency_ms", NUMBER, "time to answer", unlocks="latency shifts"),
        Role("price", NUMBER, "price of the item", unlocks="price exposure"),
    ),
    clock="ts",
    key=("request_id", "item_id", "position"),
)
OUTCOMES = TableContract(
    "outcomes",
    "something a member did",
    (
        Role("ts", TIME, "when it happened", is_required=True),
        Role("item_id", ID, "the item concerned", is_required=True),
        Role("member_id", ID, "who did it", unlocks="outcomes from search, joined by member"),
        Role("request_id", ID, "the request it followed", unlocks="outcome rates per impression"),
        Role("kind", LABEL, "play, click, purchase …", unlocks="rates per kind of outcome"),
        Role("value", NUMBER, "minutes, money …", unlocks="value-weighted outcomes"),
        Role("origin", LABEL, "slate, search or external", unlocks="clean demand from search"),
        Role("ingested_at", TIME, "when it reached the log", unlocks="label delay"),
    ),
    clock="ts",
    key=("request_id", "item_id", "ts", "kind"),
)
ITEMS = TableContract(
    "items",
    "an item of the catalogue as known on a day",
    (
        Role("item_id", ID, "the item", is_required=True),
        Role("launch_at", TIME, "when it launches", unlocks="cold-start checks and launch forecasts"),
        Role("expected_audience", NUMBER, "planned audience", unlocks="launches ranked by importance"),
        Role("tier", LABEL, "importance class", unlocks="launches ranked by importance"),
        Role("owner", LABEL, "the team that owns the item", unlocks="reports per item team"),
        Role("as_of", TIME, "the day this was known", unlocks="as-of comparisons of the catalogue"),
    ),
    clock="as_of",
    key=("item_id", "as_of"),
)
AVAILABILITY = TableContract(
    "availability",
    "a period in which an item may be shown in a market",
    (
        Role("item_id", ID, "the item", is_required=True),
        Role("market", LABEL, "where", unlocks="eligibility per market"),
        Role("from", TIME, "first moment", unlocks="items shown before they may be"),
        Role("to", TIME, "last moment", unlocks="items shown after expiry"),
    ),
    clock="",
    key=("item_id", "market", "from"),
)
_UPSTREAM_ROLES = (
    Role("key", ID, "the entity the features belong to", is_required=True),
    Role("as_of", TIME, "when the values became true", is_required=True),
    Role("available_at", TIME, "when serving could first read them", unlocks="as-of fetches without leaks"),
)
ITEM_FEATURES = TableContract(
    "item_features", "an upstream feature row of an item", _UPSTREAM_ROLES, "as_of", ("key", "as_of")
)
MEMBER_FEATURES = TableContract(
    "member_features", "an upstream feature row of a member", _UPSTREAM_ROLES, "as_of", ("key", "as_of")
)
MODELS = TableContract(
    "models",
    "an artifact that served or will",
    (
        Role("model_id", LABEL, "its name in the logs", is_required=True),
        Role("path", ("categorical",), "the artifact's file", unlocks="replay and explanation"),
        Role("sha256", ("categorical",), "its digest", unlocks="refusal of altered artifacts"),
        Role("features", ANY, "its feature list, in order", unlocks="checks of the feature order"),
        Role("trained_at", TIME, "when it was trained", unlocks="model age"),
        Role("training_start", TIME, "start of its training window", unlocks="forecasts without leaks"),
        Role("training_end", TIME, "end of its training window", unlocks="forecasts without leaks"),
        Role("training_rows", NUMBER, "rows it was trained on", unlocks="audit of training data"),
        Role("code_version", LABEL, "code that trained it", unlocks="causes in training code"),
    ),
    clock="trained_at",
    key=("model_id",),
)
CHANGES = TableContract(
    "changes",
    "a deploy, configuration, schema or experiment event",
    (
        Role("ts", TIME, "when it took effect", is_required=True),
        Role("kind", LABEL, "deploy, config, schema, launch, experiment …", is_required=True),
        Role("scope", LABEL, "what it touched", unlocks="causes by scope"),
        Role("rollout", NUMBER, "share of traffic in [0, 1]", unlocks="dose-response of a change"),
    ),
    clock="ts",
    key=("ts", "kind", "scope"),
)

TABLES: Mapping[str, TableContract] = MappingProxyType(
    {
        table.name: table
        for table in (CANDIDATES, OUTCOMES, ITEMS, AVAILABILITY, ITEM_FEATURES, MEMBER_FEATURES, MODELS, CHANGES)
    }
)
"""Every table of the contract, by name."""
