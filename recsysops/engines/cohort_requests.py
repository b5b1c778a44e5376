"""What a cohort's requests showed and what followed: counts by request, kept in DuckDB, seen here as sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recsysops.engines.partition_counts import open_connection
from recsysops.errors import SchemaError
from recsysops.tables.identifiers import quote_identifier
from recsysops.tables.relation import partition_view
from recsysops.tables.table import Table

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass(frozen=True)
class OutcomeSums:
    """Outcomes of one kind in a cohort, with the sums that clustering by request needs.

    With y outcomes and m impressions of a request: ``n`` = Σ y, ``squares`` = Σ y², ``products`` = Σ y m.
    """

    n: int
    squares: float
    products: float


class CohortRequests:
    """The requests of a filtered table of candidates; reads its rows once, when made.

    Raises:
        SchemaError, SourceError: when rows cannot be read.
    """

    def __init__(self, candidates: Table, spill: Path, n_threads: int | None = None) -> None:
        self._connection: duckdb.DuckDBPyConnection = open_connection(spill, n_threads)
        self._load(candidates)
        self.n_requests, self.n_impressions, self.impression_squares = self._one(
            "SELECT count(*), coalesce(sum(m), 0)::BIGINT, coalesce(sum(m * m), 0)::DOUBLE FROM requests"
        )

    def close(self) -> None:
        """Let go of memory and spilled files."""
        self._connection.close()

    def items(self) -> Mapping[str, int]:
        """Impressions by item."""
        rows = self._connection.execute(
            "SELECT item, sum(m)::BIGINT FROM items WHERE m > 0 GROUP BY item ORDER BY item"
        )
        return dict(rows.fetchall())

    def outcomes(self, outcomes: Table) -> Mapping[str, OutcomeSums]:
        """Sums by kind of outcome over the cohort's requests; ``outcome`` where the table names no kinds.

        Args:
            outcomes: the table of outcomes, of the whole workspace or of the cohort.
        """
        request, kind = outcomes.schema.role("request_id"), outcomes.schema.role("kind")
        if request is None:
            raise SchemaError("outcomes", found="no role request_id", expected="it, to join outcomes to requests")
        columns = [request.name, *([kind.name] if kind else [])]
        self._connection.execute("CREATE OR REPLACE TABLE followed (request VARCHAR, kind VARCHAR)")
        kind_text = f"CAST({quote_identifier(kind.name)} AS VARCHAR)" if kind else "'outcome'"
        for partition in outcomes.partitions():
            with partition_view(self._connection, outcomes, partition, columns, "arrived") as view:
                self._connection.execute(
                    f"INSERT INTO followed SELECT CAST({quote_identifier(request.name)} AS VARCHAR) AS request, "
                    f"coalesce({kind_text}, '(null)') FROM {view} SEMI JOIN requests "
                    f"ON requests.request = CAST({quote_identifier(request.name)} AS VARCHAR)"
                )
        rows = self._connection.execute(
            "SELECT kind, sum(y)::BIGINT, sum(y * y)::DOUBLE, sum(y * m)::DOUBLE FROM "
            "(SELECT request, kind, count(*) AS y FROM followed GROUP BY ALL) JOIN requests USING (request) "
            "GROUP BY kind ORDER BY kind"
        )
        return {name: OutcomeSums(n, squares, products) for name, n, squares, products in rows.fetchall()}

    def semi_join(self, batch: pa.RecordBatch, column: str) -> pa.RecordBatch:
        """The rows of the batch whose request is one of the cohort's, in their order."""
        import pyarrow as pa
        import pyarrow.compute as pc

        ids = batch.column(column).cast(pa.string())
        asked = pa.table({"request": ids, "place": pa.array(range(len(ids)), pa.int64())})
        with self._connection.cursor() as cursor:  # batches may be asked for by another thread than the one that reads
            cursor.register("asked", asked)
            query = "SELECT place FROM asked SEMI JOIN requests USING (request) ORDER BY place"
            places = cursor.execute(query).fetchnumpy()["place"]
        return pc.take(batch, pa.array(places, pa.int64()))

    def _load(self, candidates: Table) -> None:
        request, item, shown = (candidates.schema.role(name) for name in ("request_id", "item_id", "shown"))
        assert request is not None, "a table of candidates is not opened without its required roles"
        assert item is not None, "a table of candidates is not opened without its required roles"
        columns = list(dict.fromkeys([request.name, item.name, *([shown.name] if shown else [])]))
        is_shown = f"coalesce(CAST({quote_identifier(shown.name)} AS BOOLEAN), false)" if shown else "true"
        self._connection.execute("CREATE TABLE read_rows (request VARCHAR, item VARCHAR, m INTEGER)")
        for partition in candidates.partitions():
            with partition_view(self._connection, candidates, partition, columns, "candidate_rows") as view:
                self._connection.execute(
                    f"INSERT INTO read_rows SELECT CAST({quote_identifier(request.name)} AS VARCHAR), "
                    f"CAST({quote_identifier(item.name)} AS VARCHAR), CAST({is_shown} AS INTEGER) FROM {view}"
                )
        for name, key in (("requests", "request"), ("items", "item")):
            self._connection.execute(
                f"CREATE TABLE {name} AS SELECT {key}, sum(m)::BIGINT AS m FROM read_rows "
                f"WHERE {key} IS NOT NULL GROUP BY {key}"
            )
        self._connection.execute("DROP TABLE read_rows")

    def _one(self, query: str) -> tuple[int, int, float]:
        (row,) = self._connection.execute(query).fetchall()
        return int(row[0]), int(row[1]), float(row[2])
