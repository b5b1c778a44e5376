"""The tables of the state database. Days are ISO text, so that they sort and compare in every database."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

STATE_VERSION = 1

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

judged_days = Table(
    "judged_days",
    metadata,
    Column("day", String, primary_key=True),
    Column("run", Integer, ForeignKey("runs.id"), nullable=False),
    Column("detectors", String, nullable=False),
    Column("data", String, nullable=False),
)

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

finding_days = Table(
    "finding_days",
    metadata,
    Column("finding", String, primary_key=True),
    Column("day", String, ForeignKey("judged_days.day"), primary_key=True),
    Column("incident", Integer, ForeignKey("incidents.id")),
    Column("is_kept", Boolean, nullable=False),
    Column("value", Float),
    Column("reference_value", Float),
    Column("p_value", Float),
    Column("effect", Float),
    Index("finding_days_day", "day"),
    Index("finding_days_incident", "incident"),
)
"""A finding on a day: reported and so part of an incident, or a near miss that counts tomorrow."""
