"""The state database on a PostgreSQL server: one schema per workspace, so that a team's workspaces share a server."""

from __future__ import annotations

from importlib.util import find_spec

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from recsysops.errors import ConfigError, StateError
from recsysops.incidents.location import StateLocation
from recsysops.tables.identifiers import quote_identifier

DRIVER = "postgresql+psycopg"
CONNECT_SECONDS = 10


def engine_of(location: StateLocation, *, application: str = "recsysops", pool: type[Pool] | None = None) -> Engine:
    """Connections to the server, in the workspace's schema.

    Args:
        location: of the state.
        application: the name under which the server lists the connections.
        pool: how connections are kept; SQLAlchemy's default when None.

    Raises:
        ConfigError: if the URL cannot be read, or the driver is not installed.
    """
    url = _url(location)
    if find_spec("psycopg") is None:
        raise ConfigError(
            "state.url",
            found="PostgreSQL, but psycopg is not installed",
            expected="the extra",
            next_step="pip install 'recsysops[postgres]'",
        )
    given = {"connect_timeout": CONNECT_SECONDS, "application_name": application[:63]}
    engine = create_engine(url, connect_args=given, poolclass=pool)

    @event.listens_for(engine, "connect")
    def _prepare(connection: object, record: ConnectionPoolEntry) -> None:
        with connection.cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute(f"SET search_path TO {quote_identifier(location.namespace)}")
        connection.commit()  # type: ignore[attr-defined]

    return engine


def make_namespace(connection: Connection, namespace: str) -> None:
    """The workspace's schema, made when absent; two first runs wait for each other."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"make {namespace}"})
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {quote_identifier(namespace)}"))


def place_of(location: StateLocation) -> str:
    """The URL without its password, and the schema."""
    return f"{_url(location).render_as_string(hide_password=True)} schema {location.namespace}"


def state_error(location: StateLocation, error: DBAPIError) -> StateError:
    """What the server said, as one line."""
    reason = " ".join(str(error.orig).split())[:300] or type(error.orig).__name__
    advice = "check that the server runs, the URL, and the rights of its role"
    return StateError(place_of(location), found=reason, expected="the state database of a workspace", next_step=advice)


def _url(location: StateLocation) -> URL:
    try:
        return make_url(location.url).set(drivername=DRIVER)
    except (ArgumentError, ValueError):
        raise ConfigError("state.url", found="no URL", expected=f"{DRIVER}://user:password@host/database") from None
