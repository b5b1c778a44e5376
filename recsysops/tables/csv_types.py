"""The narrowest types that fit every value of a CSV file, found by letting misfits widen one column at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

Types = Mapping[str, pa.DataType]
Open = Callable[[Types, Sequence[str] | None], pyarrow.csv.CSVStreamingReader]
"""(types of some columns, columns or None for all) → a reader that has converted its first block."""

_MISFIT = re.compile(r"In CSV column #(\d+): .*conversion error to (\w+).*invalid value '(.*)'", re.DOTALL)
_LONG_INTEGER = r"^[+-]?\d{17,}$"


def fit_head(open_: Open, fixed: Types) -> pa.Schema:
    """Types that fit the first block.

    Args:
        open_: opens the file.
        fixed: types that are not to be inferred.
    """
    reader = open_(fixed, None)
    doubles = [field.name for field in reader.schema if pa.types.is_floating(field.type) and field.name not in fixed]
    if not doubles or len(set(reader.schema.names)) < len(reader.schema.names):  # a name twice is refused by the caller
        return reader.schema
    # identifiers beyond 64 bits would lose digits as doubles: they stay text
    head = open_({name: pa.string() for name in doubles}, doubles).read_next_batch()
    texts = {name for name in doubles if _are_long_integers(head.column(name))}
    fields = [pa.field(field.name, pa.string()) if field.name in texts else field for field in reader.schema]
    return pa.schema(fields)


def fit_all(open_: Open, fixed: Types, columns: Sequence[str]) -> dict[str, pa.DataType]:
    """Types that fit every value of ``columns``; reads the file once, and once more for each column that is widened.

    Raises:
        pa.ArrowInvalid: if the file is broken, or a fixed type does not fit.
    """
    head = fit_head(open_, fixed)
    types = dict(zip(head.names, head.types, strict=True))
    while True:
        try:
            for _ in open_(types, columns):
                pass
        except pa.ArrowInvalid as error:
            misfit = _MISFIT.search(str(error))
            name = head.names[int(misfit[1])] if misfit else ""
            if misfit is None or name in fixed or types[name] == pa.string():
                raise
            is_number = misfit[2] in ("int64", "null") and re.match(_LONG_INTEGER, misfit[3]) is None
            types[name] = pa.float64() if is_number else pa.string()
        else:
            return types


def _are_long_integers(values: pa.Array) -> bool:
    are_whole = pc.all(pc.match_substring_regex(values, r"^[+-]?\d+$")).as_py()
    return bool(are_whole) and bool(pc.any(pc.match_substring_regex(values, _LONG_INTEGER)).as_py())
