"""A profile as bytes, to be sent from where it was counted to where it is kept: two Arrow streams, one after the other."""

from __future__ import annotations

import json

import pyarrow as pa

from recsysops.profiles.described import facts_from_dict, facts_to_dict
from recsysops.profiles.profile import Profile

_METADATA = b"recsysops"


def profile_to_bytes(profile: Profile) -> bytes:
    """The rows, with ids and facts in their metadata, and the buckets."""
    described = json.dumps({"measures": list(profile.measure_ids), "facts": facts_to_dict(profile.facts)})
    sink = pa.BufferOutputStream()
    for table in (profile.rows.replace_schema_metadata({_METADATA: described.encode()}), profile.buckets):
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def profile_from_bytes(content: bytes) -> Profile:
    """The inverse of ``profile_to_bytes``.

    Raises:
        pa.ArrowException, KeyError, ValueError: if something else is given.
    """
    source = pa.BufferReader(content)
    with pa.ipc.open_stream(source) as reader:
        rows = reader.read_all()
    with pa.ipc.open_stream(source) as reader:
        buckets = reader.read_all()
    described = json.loads(rows.schema.metadata[_METADATA])
    facts = facts_from_dict(described["facts"])
    return Profile(tuple(described["measures"]), facts, rows.replace_schema_metadata(None), buckets)
