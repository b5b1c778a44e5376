"""``${VAR}`` in settings: from the environment, and only where a path or a secret stands.

``$${`` is a literal ``${``: a run of dollar signs before a brace loses one of them, so every text can be written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from recsysops.config.yaml_dialect import shown
from recsysops.errors import ConfigError

_RUN = re.compile(r"(\$+)\{")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET = re.compile(r"(password|passwd|token|secret|credential|access_key|api_key|url|dsn)$", re.IGNORECASE)


def is_secret(option: str) -> bool:
    """Whether a source option holds a secret, by its name: ``password``, ``api_token``, ``database_url`` …"""
    return _SECRET.search(option) is not None


def may_hold_variables(path: tuple[str, ...]) -> bool:
    """Whether ``${VAR}`` is allowed in the value at that path of keys: the state folder, source paths, secrets."""
    match path:
        case ("state",) | ("state", "folder" | "url") | ("tables", _, "source", "path"):
            return True
        case ("tables", _, "source", "options", option) | ("notifications", "targets", _, option):
            return is_secret(option)
        case ("schedule", _, "ping_url") | ("metrics", "textfile"):
            return True
    return False


def may_wait(path: tuple[str, ...]) -> bool:
    """Whether an unset variable there is no error yet: who cannot be told must not keep the days from being judged."""
    return path[:2] == ("notifications", "targets") or path[-1:] == ("ping_url",)


def is_secret_place(location: tuple[int | str, ...]) -> bool:
    """Whether what stands there may hold a secret, or stands where a section with secrets should be."""
    match location:
        case ("notifications", "targets", _):
            return True
        case (*_, "options" | "state", name) | ("notifications", "targets", _, name) | ("schedule", _, name):
            return is_secret(str(name))
        case ("notifications",) | ("notifications", "targets") | ("schedule",) | ("schedule", "fast" | "daily"):
            return True
    return False


def unset_variables(text: str) -> tuple[str, ...]:
    """Names of the variables that were not set when the settings were read."""
    return tuple(_VARIABLE.findall(text))


def expand_variables(data: Any, environ: Mapping[str, str], where: str, path: tuple[str, ...] = ()) -> Any:
    """The settings with ``${VAR}`` replaced by the environment's values, once; those are not expanded again.

    Raises:
        ConfigError: if a variable is not set, or stands where none is allowed.
    """
    if isinstance(data, dict):
        return {
            _expand(key, {}, where, path, is_allowed=False): expand_variables(value, environ, where, (*path, key))
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [expand_variables(value, environ, where, (*path, str(index))) for index, value in enumerate(data)]
    if isinstance(data, str):
        return _expand(data, environ, where, path, is_allowed=may_hold_variables(path))
    return data


def escape_variables(data: Any) -> Any:
    """The inverse: every ``${`` of the texts and keys written so that it is read back literally."""
    if isinstance(data, dict):
        return {escape_variables(key): escape_variables(value) for key, value in data.items()}
    if isinstance(data, list):
        return [escape_variables(value) for value in data]
    return _RUN.sub(r"$\1{", data) if isinstance(data, str) else data


def _expand(text: str, environ: Mapping[str, str], where: str, path: tuple[str, ...], *, is_allowed: bool) -> str:
    parts: list[str] = []
    position = 0
    while (run := _RUN.search(text, position)) is not None:
        parts.append(text[position : run.start()])
        if len(run[1]) > 1:
            parts.append(run[0][1:])
            position = run.end()
            continue
        variable = _VARIABLE.match(text, run.start())
        place = f"{where}: {'.'.join(path) or 'a key'}"
        parts.append(_value(variable, environ, place, text, is_allowed=is_allowed, is_optional=may_wait(path)))
        position = variable.end() if variable else run.end()
    return "".join([*parts, text[position:]])


def _value(
    variable: re.Match[str] | None,
    environ: Mapping[str, str],
    where: str,
    text: str,
    *,
    is_allowed: bool,
    is_optional: bool,
) -> str:
    if not is_allowed:
        raise ConfigError(
            where,
            found=f"${{ in {shown(text)}",
            expected="variables only in state, source.path and secret options",
            next_step="write $${ for a literal ${",
        )
    if variable is None:
        raise ConfigError(where, found=f"a broken variable in {shown(text)}", expected="${NAME}")
    if variable[1] not in environ and is_optional:
        return variable[0]
    if variable[1] not in environ:
        raise ConfigError(where, found=f"${{{variable[1]}}}, which is not set", next_step=f"export {variable[1]}=…")
    return environ[variable[1]]
