"""Where a model file may lie: in the workspace, or in a folder that the settings name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recsysops.errors import ConfigError


def artifact_path(path: str, root: Path, trusted: Sequence[Path] = (), *, where: str = "models.path") -> Path:
    """The file that a registered path means.

    Args:
        path: as registered: relative to the workspace, or absolute and below one of ``trusted``.
        root: the workspace folder.
        trusted: further folders that model files may lie in (``model_folders`` of the settings).
        where: what an error names.

    Raises:
        ConfigError: if the path is empty, goes upward, or leaves the workspace (by a link, too) for a folder that is not
            trusted.

    Example:
        >>> artifact_path("../m.txt", Path("/srv/ws"))
        Traceback (most recent call last):
        recsysops.errors.ConfigError: models.path: found '../m.txt', expected a path without '..'; register the file below the workspace
    """
    if not path.strip() or "\x00" in path:
        raise ConfigError(where, found=repr(path), expected="a file", next_step="register the model's path")
    given = Path(path)
    if ".." in given.parts:
        raise ConfigError(
            where, found=repr(path), expected="a path without '..'", next_step="register the file below the workspace"
        )
    real = (root / given).resolve()
    allowed = [root.resolve(), *((root / folder).resolve() for folder in trusted)]
    if not any(real.is_relative_to(folder) for folder in allowed):
        raise ConfigError(
            where,
            found=f"{path!r}, outside the workspace",
            expected="a file below the workspace or a folder in model_folders",
            next_step="move the file, or add its folder to model_folders in recsysops.yaml",
        )
    return real
