"""Bounds of a serving logger: memory, waiting, and how often a file is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LoggerSettings:
    """Bounds of a logger; the defaults hold about 20 MB of 100 candidates × 50 float32 features in the queue."""

    queue_size: int = 1024
    """Kept requests that may wait for the writer; more are dropped and counted, which their logged rate does not know."""
    n_waiting: int = 0
    """Requests that wait for outcomes before they are decided; all of them are held in memory. 0: decided at once."""
    wait_seconds: float = 300.0
    """How long they wait at most."""
    rotate_rows: int = 200_000
    rotate_seconds: float = 60.0
    """A file is written when it has so many rows or is so old: what a kill can lose."""
    file_format: str | None = None
    """``parquet`` or ``jsonl``; None: Parquet if pyarrow is installed."""
    host: str | None = None
    """This machine's name in the log."""
