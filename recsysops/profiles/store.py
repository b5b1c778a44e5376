"""The profile store: Parquet files addressed by what was counted over which bytes.

    profiles/<table>/<digest>.parquet          collapsed rows; its metadata names measures, partition and facts
    profiles/<table>/<digest>.buckets.parquet  the same counts by request-hash bucket; may be dropped

The digest covers the partition's key and fingerprint and the ids of the measures (which cover their definitions, edge
sets and look-up partitions). A file is written whole or not at all, buckets first: a profile exists when its main file
does, and writing it twice gives the same bytes under the same name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsysops.errors import StateError
from recsysops.profiles.described import facts_from_dict, facts_to_dict
from recsysops.profiles.history import PartitionFacts
from recsysops.profiles.profile import Profile
from recsysops.tables.atomic import write_atomically

FORMAT_VERSION = 1
_METADATA = b"recsysops"


@dataclass(frozen=True)
class StoredProfile:
    """A profile on disk, known by its metadata alone."""

    path: Path
    measure_ids: frozenset[str]
    facts: PartitionFacts

    @property
    def buckets_path(self) -> Path:
        """Where the bucketed counts are, if they are still kept."""
        return self.path.with_suffix(".buckets.parquet")


class ProfileStore:
    """Profiles of one workspace, below ``folder``.

    Raises:
        StateError: on reading, if a profile was written by a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, profile: Profile) -> StoredProfile:
        """Store a profile; a crash at any moment leaves it stored or absent."""
        facts = profile.facts
        address = json.dumps([FORMAT_VERSION, facts.key, facts.fingerprint, sorted(profile.measure_ids)])
        folder = self._folder / facts.table
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{hashlib.sha256(address.encode()).hexdigest()[:32]}.parquet"
        stored = StoredProfile(path, frozenset(profile.measure_ids), facts)
        metadata = {_METADATA: json.dumps(_describe(profile), sort_keys=True).encode()}
        rows = profile.rows.replace_schema_metadata(metadata)
        if profile.buckets.num_rows:
            write_atomically(stored.buckets_path, lambda target: _write_by_measure(profile.buckets, target))
        write_atomically(path, lambda target: _write(rows, target))
        return stored

    def of_table(self, table: str) -> tuple[StoredProfile, ...]:
        """Every readable profile of a table. A damaged file is left out: its partition is simply counted again."""
        folder = self._folder / table
        if not folder.is_dir():
            return ()
        paths = [path for path in sorted(folder.glob("*.parquet")) if not path.name.startswith(".")]
        found = (_open(path) for path in paths if not path.name.endswith(".buckets.parquet"))
        return tuple(stored for stored in found if stored is not None)

    def sweep(self) -> None:
        """Remove what a killed run left half-written. Only for the holder of the workspace's lock."""
        for path in self._folder.glob("*/.*.parquet"):
            path.unlink(missing_ok=True)

    @staticmethod
    def forget(profiles: Iterable[StoredProfile]) -> None:
        """Delete profiles that nothing will ask for again."""
        for stored in profiles:
            stored.buckets_path.unlink(missing_ok=True)
            stored.path.unlink(missing_ok=True)

    @staticmethod
    def drop_buckets(profiles: Iterable[StoredProfile]) -> int:
        """Forget bucketed counts that are no longer needed; the collapsed rows stay as they are. Returns how many."""
        dropped = 0
        for stored in profiles:
            if stored.buckets_path.exists():
                stored.buckets_path.unlink()
                dropped += 1
        return dropped


def _write(table: pa.Table, target: Path) -> None:
    """Measure after measure, in groups of rows small enough that one measure can be read without all the others."""
    ordered = table.take(pc.sort_indices(table, [("measure", "ascending")]))
    pq.write_table(ordered, target, compression="zstd", row_group_size=1 << 12)


def _write_by_measure(table: pa.Table, target: Path) -> None:
    """A row group per measure: buckets are asked for by measure, and what is not asked for is not decoded."""
    table = table.sort_by("measure")
    _, firsts = np.unique(table["measure"].to_numpy(zero_copy_only=False).astype(np.str_), return_index=True)
    ends = [*firsts[1:], table.num_rows]
    # the least and greatest string of counts would be kept in every footer and page
    with pq.ParquetWriter(target, table.schema, compression="zstd", write_statistics=["measure"]) as writer:
        for first, end in zip(firsts, ends, strict=True):
            writer.write_table(table.slice(first, end - first))


def _describe(profile: Profile) -> dict[str, Any]:
    own = {"format": FORMAT_VERSION, "measures": sorted(profile.measure_ids)}
    return own | facts_to_dict(profile.facts)


def _open(path: Path) -> StoredProfile | None:
    try:
        metadata: Mapping[bytes, bytes] = pq.read_schema(path).metadata or {}
        described = json.loads(metadata[_METADATA])
        if int(described["format"]) <= FORMAT_VERSION:
            return StoredProfile(path, frozenset(described["measures"]), facts_from_dict(described))
    except (OSError, pa.ArrowException, KeyError, ValueError, TypeError):
        return None
    raise StateError(
        str(path),
        found=f"profile format {described['format']}",
        expected=f"at most {FORMAT_VERSION}",
        next_step="use the version of recsysops that wrote it, or name another state folder",
    )
