"""The serving log's writer, as the recommender uses it.

On the request path a request is hashed, decided and, if it is kept, put into a bounded queue as a reference; all else happens
on the writer's thread. Nothing on that path waits or raises: what cannot be taken is dropped or refused, and counted.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from types import TracebackType

from recsysops.serving.admission import Admission
from recsysops.serving.counters import SUFFIX, Counts, Tallies
from recsysops.serving.log_folder import LogFolder
from recsysops.serving.log_formats import find_format
from recsysops.serving.log_schema import LogSchema
from recsysops.serving.log_writer import LogWriter
from recsysops.serving.logger_settings import LoggerSettings
from recsysops.serving.member_ids import refuse_weak_key
from recsysops.serving.plan import SamplingPlan
from recsysops.serving.plan_file import PlanFile
from recsysops.serving.problems import Problems
from recsysops.serving.process_life import LIVE
from recsysops.serving.request_values import OWN_DIMENSIONS
from recsysops.serving.served_request import ServedRequest

POLL_SECONDS = 1.0


class ServingLogger:
    """Logs a well-chosen sample of requests.

    Args:
        folder: the log; any number of processes may share it.
        schema: the columns.
        plan: what share of which requests is logged.
        member_key: the secret under which member ids are hashed, 16 to 64 bytes; None logs them as they are.
        plan_file: a document that replaces the plan whenever it changes; while it is missing or bad the last good plan holds.
        clock: nanoseconds since 1970.

    Raises:
        ValueError: if plan, key, format or settings cannot be used; nothing raises afterwards.
        ImportError: if Parquet is asked for and pyarrow is not installed.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from recsysops.serving.plan import Rule
        >>> plan = SamplingPlan((Rule("base", 1.0),))
        >>> with TemporaryDirectory() as folder, ServingLogger(folder, LogSchema(), plan, member_key=b"0" * 16) as logger:
        ...     logger.log(ServedRequest("r-1", ["i-1", "i-2"], score=[0.9, 0.1], position=[1, 2]))
        ...     logger.flush(), logger.counts.n_written
        (True, 1)
    """

    def __init__(
        self,
        folder: str | Path,
        schema: LogSchema,
        plan: SamplingPlan,
        *,
        member_key: bytes | None,
        plan_file: str | Path | None = None,
        settings: LoggerSettings | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._folder = Path(folder)
        self._schema = schema
        self._settings = settings or LoggerSettings()
        self._format = find_format(self._settings.file_format)
        self._host = self._settings.host or platform.node() or "unknown"
        if member_key is not None:
            refuse_weak_key(member_key)
        self._member_key = member_key
        self._clock = clock
        self._plan = plan
        self._accept(plan)
        self._plan_file = PlanFile(Path(plan_file), self._accept) if plan_file is not None else None
        self._polled_at = float("-inf")
        self._problems = Problems()
        self._beginning = Lock()
        self._admission: Admission | None = None
        self._begin()
        LIVE.add(self)

    def log(self, request: ServedRequest) -> None:
        """Offer a request to the log; returns at once, whatever the request is.

        Its arrays are kept as references and must not be changed afterwards.
        """
        try:
            (self._admission or self._begin()).offer(request)
        except Exception as error:  # a logger must not be why a request fails
            self._problems.note(error, "logging")

    def outcome(self, request_id: str, item_id: str) -> bool:
        """Tell that a member played an item of a request; whether that request was still waiting.

        If the item was ranked low, the request is logged with probability 1. Without ``n_waiting`` this does nothing.
        """
        try:
            return self._admission is not None and self._admission.played(request_id, str(item_id))
        except Exception as error:
            self._problems.note(error, "an outcome")
            return False

    @property
    def counts(self) -> Counts:
        """Requests by what became of them, in this process so far."""
        return self._tallies.counts()

    @property
    def plan(self) -> SamplingPlan:
        """The plan in force; expired rules are in it and ask for nothing."""
        return self._plan

    @property
    def latest_problem(self) -> str:
        """What went wrong last, empty if nothing did."""
        return self._problems.latest

    def flush(self, timeout_seconds: float = 10.0) -> bool:
        """Have everything accepted so far written to disk; whether that was done in time. Not for the request path."""
        return self._admission is None or self._writer.flush(timeout_seconds)

    def close(self, timeout_seconds: float = 10.0) -> None:
        """Decide what waits, write what was accepted, end the thread; what is offered later is dropped and counted."""
        if self not in LIVE:
            return
        LIVE.discard(self)
        if self._admission is not None:
            self._admission.close(lambda: self.flush(timeout_seconds))
            self._writer.stop(timeout_seconds)
        self._tallies.release()

    def forked(self) -> None:
        """The child of a fork has no writer's thread, and must not count in its parent's file; it begins when it logs."""
        self._beginning = Lock()
        self._tallies.release()
        self._admission = None

    def __enter__(self) -> ServingLogger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> Admission:
        """Make what belongs to one process: its name, counts, queue and thread."""
        with self._beginning:
            if self._admission is not None:
                return self._admission
            settings, problems = self._settings, self._problems
            process = f"{re.sub('[^A-Za-z0-9.]', '_', self._host)[:60]}-{os.getpid()}-{secrets.token_hex(4)}"
            self._tallies = Tallies(self._folder / "counts" / f"{process}{SUFFIX}")
            admission = Admission(self._plan, settings, self._member_key, self._tallies, problems, self._clock)
            files = LogFolder(self._folder, process, self._schema, self._format, self._host, problems)
            self._writer = LogWriter(
                admission.queue, files, self._tallies, problems, self._tick,
                rotate_rows=settings.rotate_rows, rotate_seconds=settings.rotate_seconds,
            )  # fmt: skip
            self._admission = admission
            return admission

    def _tick(self) -> None:
        """On the writer's thread, many times a second."""
        if self._admission is None:
            return
        self._admission.let_go()
        if self._plan_file is not None and time.monotonic() - self._polled_at >= POLL_SECONDS:
            self._polled_at = time.monotonic()
            plan = self._plan_file.changed()
            if plan is not None:
                self._plan = plan
                self._admission.follow(plan)

    def _accept(self, plan: SamplingPlan) -> None:
        known = sorted({*self._schema.dimensions, *OWN_DIMENSIONS})
        unknown = sorted(plan.dimensions.difference(known))
        if unknown:
            raise ValueError(f"sampling plan: found the dimension {unknown[0]!r}, expected one of {', '.join(known)}")
