"""From ``recsysops.yaml`` to typed settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from recsysops.config.declared_files import SECTIONS, with_declared_files, with_line
from recsysops.config.layers import read_layers, read_text
from recsysops.config.names import name_problems
from recsysops.config.problems import Problem, config_error, validation_problems
from recsysops.config.settings import WorkspaceSettings
from recsysops.config.variables import expand_variables
from recsysops.errors import ConfigError

FILE_NAME = "recsysops.yaml"


def load_settings(
    path: Path, *, env: str | None = None, brand: str | None = None, environ: Mapping[str, str]
) -> WorkspaceSettings:
    """The settings of a workspace: base ← brand ← environment, ``${VAR}`` filled in, every key validated.

    Args:
        path: the workspace file, usually ``…/recsysops.yaml``.
        env: overlay of that name from ``environments/`` next to the file.
        brand: overlay of that name from ``brands/`` next to the file.
        environ: variables that ``${VAR}`` may name, usually ``os.environ``.

    Raises:
        ConfigError: one error that lists every problem, or the place in the file where YAML itself is broken.
    """
    data = expand_variables(read_layers(path, env=env, brand=brand), environ, str(path))
    data = with_declared_files(data, path.parent)
    try:
        settings = WorkspaceSettings.model_validate(data)
    except ValidationError as error:
        raise config_error(_placed(validation_problems(error, data), path), str(path)) from None
    problems = name_problems(settings)
    if problems:
        raise config_error(problems, str(path))
    return settings


def _placed(problems: Sequence[Problem], path: Path) -> list[Problem]:
    """Problems of what people declare, with their line where the workspace file itself says it."""
    text = read_text(path)
    return [with_line(one, text) if one.key.partition(".")[0] in SECTIONS else one for one in problems]


def find_workspace(start: Path) -> Path:
    """The nearest folder, from ``start`` upward, that holds a ``recsysops.yaml``.

    Raises:
        ConfigError: if there is none.
    """
    try:
        here = start.resolve()
        for folder in (here, *here.parents):
            if (folder / FILE_NAME).is_file():
                return folder
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(str(start), found=str(error), expected="a readable folder") from error
    raise ConfigError(
        str(start),
        found=f"no {FILE_NAME} here or above",
        expected="a workspace",
        next_step="`recsysops init DATA` makes one, --workspace names one",
    )
