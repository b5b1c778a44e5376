"""The tables of the state database. Days are ISO text, so that they sort and compare in every database."""

from __future__ import annotations

from sqlalchemy import DDL, Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, event

STATE_VERSION = 3
"""2 added what people say of incidents and the audit trail, 3 judged hours; nothing of earlier versions changed."""

metadata = MetaData()

state_version = Table("state_version", metadata, Column("version", Integer, nullable=False))

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started", String, nullable=False),
    Column("finished", String),
    Column("verb", String, nullable=False),
    Column("version", String, nullable=False),
    Column("outcome", String),
    sqlite_autoincrement=True,
)


def _judged(unit: str) -> Table:
    """Days or hours that were judged: in which run, by which detectors, from which rows."""
    return Table(
        f"judged_{unit}s",
        metadata,
        Column(unit, String, primary_key=True),
        Column("run", Integer, ForeignKey("runs.id"), nullable=False),
        Column("detectors", String, nullable=False),
        Column("data", String, nullable=False),
    )


def _found(unit: str) -> Table:
    """Findings on judged days or in hours: reported and so part of an incident, or near misses that count the next time."""
    return Table(
        f"finding_{unit}s",
        metadata,
        Column("finding", String, primary_key=True),
        Column(unit, String, ForeignKey(f"judged_{unit}s.{unit}"), primary_key=True),
        Column("incident", Integer, ForeignKey("incidents.id")),
        Column("is_kept", Boolean, nullable=False),
        Column("value", Float),
        Column("reference_value", Float),
        Column("p_value", Float),
        Column("effect", Float),
        Index(f"finding_{unit}s_{unit}", unit),
        Index(f"finding_{unit}s_incident", "incident"),
    )


judged_days = _judged("day")

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("severity", String, nullable=False),
    Column("headline", Text, nullable=False),
    Column("where", Text, nullable=False),
    Column("stage", String, nullable=False),
    Column("entity", Text, nullable=False),
    Column("onset", String, nullable=False),
    Column("last_seen", String, nullable=False),
    Column("opened", String, nullable=False),
    Column("status", String, nullable=False),
    Column("impact", Float, nullable=False),
    Column("findings", Text, nullable=False),
    sqlite_autoincrement=True,
)

findings = Table(
    "findings",
    metadata,
    Column("id", String, primary_key=True),
    Column("first_day", String, nullable=False),
    Column("last_day", String, nullable=False),
    Column("times_seen", Integer, nullable=False),
    Column("latest", Text, nullable=False),
)

finding_days = _found("day")
judged_hours = _judged("hour")
"""Hours that the fast tier has judged: ``2026-11-20T14``, UTC. Their days may not be judged yet."""

finding_hours = _found("hour")
"""A finding in an hour; judging the day anew leaves it alone."""

told = Table(
    "told",
    metadata,
    Column("subject", String, primary_key=True),
    Column("status", Text, nullable=False),
    Column("severity", String, nullable=False),
    Column("n_changes", Integer, nullable=False),
)
"""What people were last told of an incident, or of what a run could not look at; notices of changes alone follow."""

notices = Table(
    "notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("target", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("incident", Integer),
    Column("event", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created", String, nullable=False),
    Column("due", String, nullable=False),
    Column("status", String, nullable=False),
    Column("n_tries", Integer, nullable=False),
    Column("finished", String),
    Column("error", Text),
    Index("notices_status", "status"),
    sqlite_autoincrement=True,
)
"""The outbox of notifications: written with what they tell, sent afterwards, tried again until they arrive."""

incident_lives = Table(
    "incident_lives",
    metadata,
    Column("incident", Integer, ForeignKey("incidents.id"), primary_key=True),
    Column("status", String),
    Column("assignee", Text, nullable=False),
    Column("resolution", String),
    Column("through", String),
    Column("muted_until", String),
    Column("merged_into", Integer, ForeignKey("incidents.id")),
)
"""What people said of an incident; judging days never writes here."""

incident_links = Table(
    "incident_links",
    metadata,
    Column("incident", Integer, ForeignKey("incidents.id"), primary_key=True),
    Column("follows", Integer, ForeignKey("incidents.id"), nullable=False),
)
"""An incident about what an earlier, closed one was about."""

rebaselines = Table(
    "rebaselines",
    metadata,
    Column("incident", Integer, ForeignKey("incidents.id"), primary_key=True),
    Column("table_name", String, primary_key=True),
    Column("column_name", String, primary_key=True),
    Column("subject_kind", String, primary_key=True),
    Column("subject_id", String, primary_key=True),
    Column("from_day", String, nullable=False),
)
"""From which day on something counts as normal, because a person said that its change was expected."""

trail = Table(
    "trail",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String, nullable=False),
    Column("moment", String, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", String, nullable=False),
    Column("incident", Integer),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("previous", String, nullable=False),
    Column("hash", String, nullable=False),
    Index("trail_incident", "incident"),
)
"""Who did what, when, from what to what. Only ever appended to; each row holds the hash of the one before."""

trail_head = Table(
    "trail_head",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("hash", String, nullable=False),
)
"""The newest entry's number and hash, in one row; whoever writes locks it."""

_REFUSES = "BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END"
_GUARDS = {
    "sqlite": (
        f"CREATE TRIGGER trail_no_update BEFORE UPDATE ON trail {_REFUSES}",
        f"CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail {_REFUSES}",
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION trail_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'the trail is append-only'; END$$""",
        """CREATE TRIGGER trail_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trail
        EXECUTE FUNCTION trail_is_append_only()""",
    ),
}
for _dialect, _statements in _GUARDS.items():
    for _statement in _statements:
        event.listen(trail, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
