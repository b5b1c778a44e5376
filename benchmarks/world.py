"""The simulated service beside real logs: what of its statistics is alike, and how long sixty days take to build.

Real logs are those of Open Bandit in ``sample_logs``, by policy. Everything is counted from the written files; the service's
requests are weighted by one over their sampling rate.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
from scipy import stats

from recsysops.drills.world.service import Service
from recsysops.drills.world.size import WorldSize
from recsysops.sample_logs import path as sample_path

Log = duckdb.DuckDBPyConnection
"""With a table ``seen``: an impression a row, with item_id, member_id, position, ts, propensity, score, weight, is_random and
played."""


def run(rows: int | None, *, quick: bool) -> None:
    """Build the world, tell what it took, and put its statistics beside the real ones."""
    del rows
    n_days = 10 if quick else 60
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "world"
        service_size = WorldSize.quick() if quick else WorldSize.drill()
        build(folder, replace(service_size, n_days=n_days), n_days)
        logs = {"the service": opened_world(folder)}
        logs |= {f"Open Bandit {policy}": opened_bandit(policy) for policy in ("bts", "random")}
        print(f"  {'':<44}" + "".join(f"{name:>22}" for name in logs))
        for what, told in STATISTICS:
            print(f"  {what:<44}" + "".join(f"{told(log):>22}" for log in logs.values()), flush=True)


def build(folder: Path, size: WorldSize, n_days: int) -> None:
    """Simulate the days; print seconds and megabytes."""
    started, worked = time.perf_counter(), time.process_time()
    service = Service.begin(folder, size, seed=1)
    for _ in range(n_days):
        service.run_day()
    took, worked = time.perf_counter() - started, time.process_time() - worked
    a_day = worked / (n_days + size.warm_up_days)
    print(
        f"  {n_days} days and {size.warm_up_days} of warm-up: {took:.0f} s, {worked:.0f} s of one core, {a_day:.2f} s of it a day"
    )
    for root in ("logs", "archive", "models", "truth"):
        files = [path for path in (folder / root).rglob("*") if path.is_file()]
        print(f"    {root:<8} {sum(path.stat().st_size for path in files) / 1e6:6.1f} MB in {len(files)} files")


def opened_world(folder: Path) -> Log:
    """The service's impressions."""
    log = duckdb.connect(config={"threads": 1})
    log.execute("SET TimeZone = 'UTC'")
    log.execute(
        """CREATE TABLE seen AS SELECT c.item_id, c.member_id, c.position, c.ts, c.propensity, c.score,
                  1 / c.sampling_rate AS weight, c.randomised AS is_random, o.item_id IS NOT NULL AS played
           FROM read_parquet($candidates, hive_partitioning = false) c
           LEFT JOIN read_parquet($outcomes, hive_partitioning = false) o USING (request_id, item_id)
           WHERE c.shown""",
        {name: str(folder / "logs" / name / "*" / "*.parquet") for name in ("candidates", "outcomes")},
    )
    return log


def opened_bandit(policy: str) -> Log:
    """Impressions of both campaigns under one policy; it logs neither members nor scores."""
    log = duckdb.connect(config={"threads": 1})
    log.execute("SET TimeZone = 'UTC'")
    logs = sample_path("open_bandit")
    log.execute(
        """CREATE TABLE seen AS SELECT c.item_id, NULL::VARCHAR AS member_id, c.position, c.ts, c.propensity,
                  NULL::DOUBLE AS score, 1.0 AS weight, true AS is_random, o.item_id IS NOT NULL AS played
           FROM read_parquet($candidates, hive_partitioning = false) c
           LEFT JOIN read_parquet($outcomes, hive_partitioning = false) o USING (request_id)
           WHERE c.policy = $policy""",
        {"policy": policy} | {name: str(logs / name / "*" / "*.parquet") for name in ("candidates", "outcomes")},
    )
    return log


def amount(log: Log) -> str:
    """Impressions and outcomes that were logged."""
    n, plays = log.execute("SELECT count(*), sum(played::INTEGER) FROM seen").fetchall()[0]
    return f"{n:,} / {plays:,}"


def rate(log: Log) -> str:
    """Outcomes per impression."""
    return f"{log.execute('SELECT sum(weight * played::INTEGER) / sum(weight) FROM seen').fetchall()[0][0]:.4f}"


def by_position(log: Log, where: str = "true", positions: Sequence[int] = (1, 2, 3, 5, 8)) -> str:
    """Outcomes per impression by position, position 1 = 1."""
    query = f"SELECT position, sum(weight * played::INTEGER) / sum(weight) FROM seen WHERE {where} GROUP BY 1"
    found = dict(log.execute(query).fetchall())
    return " ".join(f"{found[one] / found[1]:.2f}" for one in positions if one in found)


def by_position_at_random(log: Log) -> str:
    """The same where the order was random, with the half-width of a 95 % interval of the middle positions (2 to 4) together."""
    found = log.execute(
        """SELECT position = 1, count(*), sum(played::INTEGER) FROM seen
           WHERE is_random AND position <= 4 GROUP BY 1 ORDER BY 1 DESC"""
    ).fetchall()
    (_, n_first, first), (_, n_next, following) = found
    ratio = (following / n_next) / (first / n_first)
    width = stats.norm.isf(0.025) * np.sqrt(1 / first + 1 / following)
    return f"{ratio:.2f} ({ratio * np.exp(-width):.2f}–{ratio * np.exp(width):.2f})"


def shares(what: str) -> Callable[[Log], str]:
    """Share of the top 1 % and 10 % of items, and Gini over those seen at all, of impressions or outcomes."""

    def told(log: Log) -> str:
        column = "weight" if what == "impressions" else "weight * played::INTEGER"
        query = f"SELECT sum({column}) FROM seen GROUP BY item_id HAVING sum({column}) IS NOT NULL ORDER BY 1"
        counts = np.array([row[0] for row in log.execute(query).fetchall()], np.float64)
        n = len(counts)
        tops = [counts[-max(round(share * n), 1) :].sum() / counts.sum() for share in (0.01, 0.1)]
        gini = (2 * np.arange(1, n + 1) - n - 1) @ counts / (n * counts.sum())
        return f"{tops[0]:.2f} {tops[1]:.2f} {gini:.2f}"

    return told


def quantiles(column: str) -> Callable[[Log], str]:
    """The 5th, 50th and 95th percentile of a column."""

    def told(log: Log) -> str:
        found = log.execute(f"SELECT quantile_cont({column}, [0.05, 0.5, 0.95]) FROM seen").fetchall()[0][0]
        return "–" if found is None else " ".join(f"{one:.3f}" for one in found)

    return told


def per_member(log: Log) -> str:
    """Requests of members who were seen: median, 95th percentile, and the share of the busiest tenth."""
    query = "SELECT sum(weight) FROM seen WHERE position = 1 AND member_id IS NOT NULL GROUP BY member_id ORDER BY 1"
    counts = np.array([row[0] for row in log.execute(query).fetchall()], np.float64)
    if not len(counts):
        return "–"
    middle, high = np.quantile(counts, [0.5, 0.95])
    return f"{middle:.0f} {high:.0f} {counts[-max(len(counts) // 10, 1) :].sum() / counts.sum():.2f}"


def extremes(unit: str, days: str) -> Callable[[Log], str]:
    """Least and most impressions of an hour of the day or day of the week, beside the mean one.

    Args:
        days: SQL that counts the days with such an hour or weekday.
    """

    def told(log: Log) -> str:
        query = f"SELECT sum(weight) / {days} FROM seen GROUP BY {unit}(ts)"
        counts = np.array([row[0] for row in log.execute(query).fetchall()], np.float64)
        return f"{counts.min() / counts.mean():.2f} {counts.max() / counts.mean():.2f}"

    return told


STATISTICS: tuple[tuple[str, Callable[[Log], str]], ...] = (
    ("impressions / outcomes in the log", amount),
    ("outcomes per impression", rate),
    ("… by position 1 2 3 5 8, first = 1", by_position),
    ("… positions 2–4 to 1 where order is random", by_position_at_random),
    ("impressions: top 1 %, top 10 % of items, Gini", shares("impressions")),
    ("outcomes: top 1 %, top 10 % of items, Gini", shares("outcomes")),
    ("score: 5th, 50th, 95th percentile", quantiles("score")),
    ("propensity: 5th, 50th, 95th percentile", quantiles("propensity")),
    ("requests per member: median, 95th, top tenth", per_member),
    ("hour of day: least and most beside mean", extremes("hour", "1")),
    ("day of week: least and most beside mean", extremes("dayofweek", "count(DISTINCT ts::DATE)")),
)
