"""Whole requests read from the log: those of a subject, and of each day some others, the same ones each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from recsysops.cases.subject_requests import SubjectRequests, texts
from recsysops.replay.candidates import SALT, Candidates
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.table import Table

PAST_DAYS = 7
"""Days before the subject's own on which others are looked at as well: what is wrong with everybody since today is wrong, too."""
OTHERS_A_DAY = 30


@dataclass(frozen=True)
class RequestReader:
    """Reads the candidates' table request by request. Use one for one subject."""

    connection: duckdb.DuckDBPyConnection
    table: Table

    def sql(self, role: str) -> str:
        """The column of a role as SQL; NULL where the log has none."""
        column = self.table.schema.role(role)
        return "NULL" if column is None else quote_identifier(column.name)

    @property
    def place(self) -> str:
        """Column of the slice within which requests compare best: the market, else the first slice; empty without one."""
        slices = self.table.schema.slices
        return "market" if "market" in slices else next(iter(slices), "")

    def find(self, name: str, condition: str, bound: Mapping[str, Any]) -> None:
        """Make the table ``name`` (part, request, member, place, day, asked_at) of the requests with rows that fit.

        Args:
            condition: SQL over the log's columns; values are bound.
        """
        names = [one.name for role in ("request_id", "ts", "member_id") if (one := self.table.schema.role(role))]
        columns = list(dict.fromkeys([*names, *([self.place] if self.place else [])]))
        place = quote_identifier(self.place) if self.place else "NULL"
        clock, request = self.sql("ts"), f"{self.sql('request_id')}::VARCHAR"
        self.connection.execute(
            f"CREATE TEMP TABLE {quote_identifier(name)} "
            "(part INTEGER, request VARCHAR, member VARCHAR, place VARCHAR, day DATE, asked_at TIMESTAMPTZ)"
        )
        for number, partition in enumerate(self.table.partitions()):
            with partition_view(self.connection, self.table, partition, columns, "log") as view:
                self.connection.execute(
                    f"INSERT INTO {quote_identifier(name)} SELECT {number}, {request}, min({self.sql('member_id')}::VARCHAR), "
                    f"min({place}::VARCHAR), min({clock})::DATE, min({clock}) FROM {view} WHERE {condition} GROUP BY {request}",
                    dict(bound),
                )

    def find_others(
        self, preferred: str = "false", condition: str = "true", bound: Mapping[str, Any] | None = None
    ) -> None:
        """Make the table ``others``: on the days of the requests in ``own`` and the days before them, those with the smallest hashes.

        Args:
            preferred: SQL over member and place: who is taken first; then who asked in the same place.
            condition, bound: SQL over the log's columns: who may be taken.
        """
        [(start, end)] = self.connection.execute("SELECT min(day), max(day) + 1 FROM own").fetchall()
        clock, request = self.sql("ts"), f"{self.sql('request_id')}::VARCHAR"
        near = f"{clock} >= $start::DATE - {PAST_DAYS} AND {clock} < $end::DATE"
        fits = f"{near} AND {request} NOT IN (SELECT request FROM own) AND {condition}"
        self.find("seen", fits, {"start": start, "end": end, **(bound or {})})
        self.connection.execute(
            f"CREATE TEMP TABLE others AS SELECT * FROM seen WHERE day IN (SELECT day - n::INTEGER FROM own, range({PAST_DAYS + 1}) AS r(n)) "
            f"QUALIFY row_number() OVER (PARTITION BY day ORDER BY coalesce({preferred}, false) DESC, "
            "coalesce(place IN (SELECT place FROM own), false) DESC, md5_number_lower($salt || request), request) <= $n",
            {"salt": SALT, "n": OTHERS_A_DAY},
        )

    def read(self, *, by_member: bool = False) -> SubjectRequests:
        """The rows of the requests in ``own`` and ``others``, with every column that a step may ask for."""
        columns, parts = self._columns(), []
        self.connection.execute(
            "CREATE TEMP TABLE wanted AS SELECT part, request FROM own UNION SELECT part, request FROM others"
        )
        chosen = self.connection.execute("SELECT DISTINCT part FROM wanted ORDER BY part").fetchall()
        partitions, request = self.table.partitions(), f"{self.sql('request_id')}::VARCHAR"
        for (number,) in chosen:
            with partition_view(self.connection, self.table, partitions[number], columns, "log") as view:
                query = f"FROM {view} WHERE {request} IN (SELECT request FROM wanted WHERE part = {number})"
                parts.append(self.connection.sql(query).to_arrow_table())
        if not parts:
            nothing = Candidates({name: pa.nulls(0) for name in columns}, self.table.schema)
            return SubjectRequests(nothing, pa.nulls(0).is_valid().to_numpy(zero_copy_only=False), by_member)
        merged = pa.concat_tables(parts, promote_options="permissive").unify_dictionaries()
        rows = Candidates({name: merged[name].combine_chunks() for name in columns}, self.table.schema)
        own = self.connection.execute("SELECT DISTINCT request FROM own").fetchall()
        is_own = pc.is_in(texts(rows.role("request_id")), value_set=pa.array([one for (one,) in own], pa.string()))
        return SubjectRequests(rows, is_own.to_numpy(zero_copy_only=False), by_member)

    def _columns(self) -> list[str]:
        """Roles, features, their masks and slices, in the table's order."""
        schema = self.table.schema
        masks = {column.mask for column in schema.columns if column.mask}
        return [
            one.name
            for one in schema.columns
            if one.role or one.is_feature or one.name in schema.slices or one.name in masks
        ]
