"""``recsysops init``: from files to a proposed workspace, with what it was unsure of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from recsysops.config.names import is_time_zone
from recsysops.config.settings import ColumnSettings, TableSettings, WorkspaceSettings
from recsysops.errors import ConfigError, RecSysOpsError, SourceError
from recsysops.inspection.discovery import discover
from recsysops.inspection.feature_guess import (
    compact,
    guess_features,
    guess_masks,
    guess_slices,
    guess_unnest,
    outcome_columns,
    unused_columns,
)
from recsysops.inspection.role_guess import guess_roles
from recsysops.inspection.sampling import MAX_ROWS, sample_source
from recsysops.inspection.table_guess import guess_table
from recsysops.inspection.time_guess import is_archive, newest_row, zone_doubts
from recsysops.inspection.values import Doubt, Found, Inference, TableGuess, TableSample
from recsysops.tables.contract import TABLES
from recsysops.tables.slates import INDEX_COLUMN


def infer_workspace(
    paths: Sequence[str],
    root: Path,
    *,
    now: datetime | None = None,
    name: str | None = None,
    timezone: str = "UTC",
    max_rows: int = MAX_ROWS,
) -> Inference:
    """Look at files and propose a workspace. Reads at most ``max_rows`` rows per source; writes nothing.

    Args:
        paths: files, folders and globs of logs, relative to the current folder.
        root: the folder in which ``recsysops.yaml`` will stand.
        now: the moment of asking, by which archives are told from live logs; UTC.
        name: of the workspace; the folder's when None.
        timezone: assumed where timestamps name none.

    Raises:
        ConfigError: if the time zone is none.
        SourceError: if nothing can be read, or nothing looks like a table of the contract.
    """
    if not is_time_zone(timezone):
        raise ConfigError("--timezone", found=repr(timezone), expected="a time zone such as UTC or Europe/Oslo")
    found, notes = discover(paths, root)
    samples, skipped = _samples(found, root, max_rows)
    guesses, doubts = _tables(samples, timezone)
    if not guesses:
        raise _nothing(paths, skipped)
    newest = newest_row(guesses)
    archive = is_archive(newest, now or datetime.now(UTC))
    if newest and archive:
        why = f"the newest row is of {newest:%Y-%m-%d}, more than 14 days ago"
        doubts.append(Doubt("clock", "archive", ("wall",), why))
    settings = WorkspaceSettings(
        name=(name or root.absolute().name or "recommender")[:100],
        timezone=timezone,
        clock="archive" if archive else "wall",
        tables={guess.table: _settings(guess) for guess in guesses},
    )
    return Inference(settings, tuple(guesses), tuple(doubts), (*notes, *skipped))


def _nothing(paths: Sequence[str], skipped: Sequence[str]) -> SourceError:
    return SourceError(
        ", ".join(paths),
        found=_first(skipped) or "no table of the data contract",
        expected="a log of candidates or impressions with request, item and time",
        next_step="write recsysops.yaml by hand",
    )


def _first(notes: Sequence[str]) -> str:
    """The first note, cut to what fits a line, and how many more there are."""
    more = f" and {len(notes) - 1} more" if len(notes) > 1 else ""
    return f"{notes[0][:200]}{more}" if notes else ""


def _samples(found: Iterable[Found], root: Path, max_rows: int) -> tuple[list[TableSample], list[str]]:
    samples: list[TableSample] = []
    skipped: list[str] = []
    sources = list(found)
    for source in sources:
        try:
            samples.append(sample_source(source, root, max_rows))
        except RecSysOpsError as error:
            if not samples and len(sources) == 1:
                raise
            skipped.append(f"left out {source.label!r}: {error}")
    return samples, skipped


def _tables(samples: Iterable[TableSample], zone: str) -> tuple[list[TableGuess], list[Doubt]]:
    """One guess per table of the contract; where two sources claim the same, the likelier and then the larger has it."""
    claims = []
    doubts: list[Doubt] = []
    for sample in samples:
        likely, doubt = guess_table(sample)
        doubts += [doubt] if doubt else []
        if likely:
            claims.append((likely, sample))
    claims.sort(key=lambda claim: (-claim[0][0][0], -claim[1].found.n_bytes, claim[1].found.label))
    guesses: dict[str, TableGuess] = {}
    for likely, sample in claims:
        table = next((table for points, table in likely if table not in guesses), None)
        if table is None or table != likely[0][1]:
            rival = guesses[likely[0][1]].sample.found.label
            why = f"{rival} fits {likely[0][1]} better, and a workspace has one of each table"
            doubts.append(Doubt(f"source {sample.found.label}", table or "", (likely[0][1],), why))
        if table is not None:
            guesses[table], more = _guess(sample, table, zone)
            doubts += more
    return [guesses[table] for table in TABLES if table in guesses], doubts


def _guess(sample: TableSample, table: str, zone: str) -> tuple[TableGuess, list[Doubt]]:
    roles, doubts = guess_roles(sample, table)
    unnest = guess_unnest(sample, roles.get("item_id", "")) if table == "candidates" else ()
    if unnest and "position" not in roles:
        roles["position"] = INDEX_COLUMN
        doubts.append(Doubt(f"tables.{table}.roles.position", INDEX_COLUMN, (), "taken from the order in the arrays"))
    stray = {column.name for column in sample.columns if column.is_list} - set(unnest)
    for role in [role for role, column in roles.items() if column in stray]:
        why = "an array of another length than the items', or in a table that is not unnested"
        doubts.append(Doubt(f"tables.{table}.roles.{role}", "", (roles.pop(role),), why))
    masks = guess_masks(sample, roles.values())
    labels = outcome_columns(sample) if table == "candidates" else ()
    used = {*roles.values(), *masks.values(), *labels, *stray}
    slices, more_slices = guess_slices(sample, table, used)
    features = guess_features(sample, table, {*used, *slices, *more_slices})
    taken = {*used, *slices, *more_slices, *features} - stray
    guess = TableGuess(
        table,
        sample,
        roles,
        compact(features, [column.name for column in sample.columns]),
        slices,
        more_slices,
        unnest,
        {name: mask for name, mask in masks.items() if name in features},
        unused_columns(sample, taken, masks),
    )
    doubts += zone_doubts(sample, table, roles, zone)
    for label in labels:
        why = "an outcome joined onto candidates is not counted; export the outcomes as a table of their own"
        doubts.append(Doubt(f"tables.{table}.columns", label, ("outcomes",), why))
    return guess, doubts


def _settings(guess: TableGuess) -> TableSettings:
    columns = {column: ColumnSettings(mask=mask) for column, mask in guess.masks.items()}
    return TableSettings(
        source=guess.sample.found.settings,
        roles=dict(guess.roles),
        features=list(guess.features),
        slices=list(guess.slices),
        unnest=list(guess.unnest),
        columns=columns,
    )
