"""Bind a table's settings to what its source has: roles, kinds, features, slices, masks."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from pyarrow import types

from recsysops.config.settings import ColumnSettings, TableSettings
from recsysops.errors import ConfigError, SchemaError
from recsysops.tables.contract import TIME, Kind, Role, TableContract
from recsysops.tables.kinds import common_kind, kind_of
from recsysops.tables.nearest import did_you_mean
from recsysops.tables.observed import Observed
from recsysops.tables.schema import Column, TableSchema


def bind(contract: TableContract, settings: TableSettings, observed: Observed) -> TableSchema:
    """The schema of a table.

    A column that is all NULL takes the first kind of its role; as a slice it is categorical, as a feature numeric. One whose types
    clash between partitions has the kind of the first of them, and is NULL in the partitions that have another, as long as
    nothing stands or falls with it; ``input.schema_change`` tells.

    Raises:
        ConfigError: if the settings name a role that does not exist, leave out a required one, or give one column two.
        SchemaError: if a column is absent or of the wrong kind, a glob matches nothing, or types of partitions clash in a column
            that the table cannot do without.
    """
    roles = _roles(contract, settings, observed)
    _refuse_absent(f"{contract.name}.unnest", settings.unnest, observed)
    _refuse_absent(f"{contract.name}.slices", settings.slices, observed)
    _refuse_absent(f"{contract.name}.columns", settings.columns, observed)
    masks = {f"{name}.mask": column.mask for name, column in settings.columns.items() if column.mask}
    for where, mask in masks.items():
        _refuse_absent(f"{contract.name}.columns.{where}", [mask], observed)
    features = _features(contract.name, settings, observed, {*roles, *settings.slices, *masks.values()})
    columns = tuple(
        _column(contract, settings, observed, name, roles.get(name), name in features) for name in observed.columns
    )
    for column in columns:
        if column.name in settings.slices:
            _refuse_uncountable(contract.name, column, observed)
    return TableSchema(contract.name, columns, tuple(settings.slices), settings.label_window_days)


def _roles(contract: TableContract, settings: TableSettings, observed: Observed) -> dict[str, Role]:
    """Roles by column."""
    where = f"{contract.name}.roles"
    for name in contract.required:
        if name not in settings.roles:
            meaning = getattr(contract.role(name), "meaning", "")
            raise ConfigError(where, found=f"no {name}", expected=f"the column that is {meaning}", next_step="map it")
    by_column: dict[str, Role] = {}
    for name, column in settings.roles.items():
        role = contract.role(name)
        if role is None:
            known = [role.name for role in contract.roles]
            raise ConfigError(
                where,
                found=f"role {name!r}",
                expected="a role of the contract",
                next_step=did_you_mean(name, known, f"roles are {', '.join(known)}"),
            )
        _refuse_absent(f"{where}.{name}", [column], observed)
        other = by_column.setdefault(column, role)
        if other is not role:
            raise ConfigError(
                where, found=f"column {column!r} as {other.name} and as {name}", next_step="keep one of them"
            )
    return by_column


def _refuse_absent(where: str, names: Iterable[str], observed: Observed) -> None:
    for name in names:
        if name not in observed.columns:
            raise SchemaError(
                where,
                found=f"no column {name!r} in the data",
                expected="one of its columns",
                next_step=did_you_mean(name, observed.columns, "correct the name, or add the column to the export"),
            )


def _features(table: str, settings: TableSettings, observed: Observed, reserved: set[str]) -> set[str]:
    """Columns that feature names and globs select; globs never select roles, slices or masks."""
    selected: set[str] = set()
    for pattern in settings.features:
        if pattern in observed.columns:
            matches = {pattern}
        else:
            matches = {name for name in observed.columns if fnmatchcase(name, pattern)} - reserved
        if not matches:
            raise SchemaError(
                f"{table}.features",
                found=f"{pattern!r}, which matches no column that is free to be a feature",
                expected="a column name or a glob",
                next_step=did_you_mean(pattern, observed.columns, "correct or remove it"),
            )
        selected |= matches
    return selected


def _column(
    contract: TableContract,
    settings: TableSettings,
    observed: Observed,
    name: str,
    role: Role | None,
    is_feature: bool,
) -> Column:
    stated = settings.columns.get(name, ColumnSettings())
    is_used = role is not None or is_feature or name in settings.slices
    kind = stated.kind or _observed_kind(f"{contract.name}.{name}", observed, name, role, is_used)
    if all(types.is_null(type_) for type_ in observed.types(name)) and stated.kind is None:
        kind = (
            role.kinds[0] if role else "categorical" if name in settings.slices else "numeric" if is_feature else kind
        )
    if role is not None:
        kind = _role_kind(f"{contract.name}.roles.{role.name}", role, kind, observed.describe(name))
    return Column(
        name,
        kind,
        role.name if role else None,
        is_feature,
        stated.default,
        stated.mask,
        stated.owner or settings.owner,
        agrees_with=tuple(stated.agrees_with),
        lineage=stated.lineage,
    )


def _observed_kind(where: str, observed: Observed, name: str, role: Role | None, is_used: bool) -> Kind:
    """The common kind; a column that nobody counts may be of several, and is then ``other``."""
    if role is not None and role.kinds == TIME:
        return "timestamp" if all(_may_be_time(type_) for type_ in observed.types(name)) else "other"
    kind = common_kind(observed.types(name))
    if kind is None and is_used and (role is None or not role.is_required):
        known = [kind_of(type_) for type_ in observed.types(name) if not types.is_null(type_)]
        return (
            known[0]
            if role is None or known[0] in role.kinds
            else next((one for one in known if one in role.kinds), known[0])
        )
    if kind is None and is_used:
        raise SchemaError(
            where,
            found=observed.describe(name),
            expected="one kind of value in all partitions",
            next_step=f"repair the export, or state columns.{name}.kind",
        )
    return kind or "other"


def _may_be_time(type_: object) -> bool:
    """Texts and numbers may be times (ISO 8601, time since 1970); whether they are is seen when they are read."""
    return common_kind([type_]) in ("timestamp", "categorical", "numeric") or bool(types.is_null(type_))


def _role_kind(where: str, role: Role, kind: Kind, described: str) -> Kind:
    if kind in role.kinds:
        return kind
    raise SchemaError(
        where,
        found=f"{kind} values ({described})",
        expected=" or ".join(role.kinds),
        next_step="map another column, repair the export, or unnest it if it holds arrays",
    )


def _refuse_uncountable(table: str, column: Column, observed: Observed) -> None:
    """Slices need few distinct values: text, flags and whole numbers have them, measurements do not."""
    is_whole = all(types.is_integer(type_) or types.is_null(type_) for type_ in observed.types(column.name))
    if column.kind in ("categorical", "boolean") or (column.kind == "numeric" and is_whole):
        return
    raise SchemaError(
        f"{table}.slices",
        found=f"{column.name!r} with {observed.describe(column.name)}",
        expected="text, flags or whole numbers",
        next_step=f"slice by another column, or state columns.{column.name}.kind: categorical",
    )
