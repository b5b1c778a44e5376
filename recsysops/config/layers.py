"""The files that make up a workspace's settings: what each extends, and the overlays of brand and environment."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

from recsysops.config.merge import merge
from recsysops.config.yaml_dialect import parse_yaml, shown
from recsysops.errors import ConfigError

MAX_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9_-]+")


def read_layers(path: Path, *, env: str | None, brand: str | None) -> dict[str, Any]:
    """The merged settings of a file ← ``brands/BRAND.yaml`` ← ``environments/ENV.yaml``, each over what it extends.

    Raises:
        ConfigError: if a file is missing, unreadable, not valid, outside the workspace, or extends itself.
    """
    root = path.parent
    merged = _read(path, root, ())
    for folder, name in (("brands", brand), ("environments", env)):
        if name is not None:
            merged = merge(merged, _read(_overlay(root, folder, name), root, ()))
    return merged


def _overlay(root: Path, folder: str, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{folder}: name", found=shown(name), expected="letters, digits, _ and - only")
    path = root / folder / f"{name}.yaml"
    if not path.is_file():
        known = sorted(each.stem for each in (root / folder).glob("*.yaml"))
        raise ConfigError(
            str(path), found="no such file", expected=f"one of {', '.join(known)}" if known else f"{folder}/NAME.yaml"
        )
    return path


def _read(path: Path, root: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """One file over everything it extends; ``above`` are the files that led here, by which loops are seen."""
    if path in above:
        chain = " → ".join(each.name for each in (*above, path))
        raise ConfigError(str(above[-1]), found=f"extends that comes back to itself: {chain}", expected="no loop")
    settings = parse_yaml(read_text(path), str(path))
    below: dict[str, Any] = {}
    for base in _bases(settings.pop("extends", []), path, root):
        below = merge(below, _read(base, root, (*above, path)))
    return merge(below, settings)


def _bases(extends: object, path: Path, root: Path) -> list[Path]:
    names = [extends] if isinstance(extends, str) else extends
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(f"{path}: extends", found=shown(extends), expected="a path or a list of paths")
    return [_inside(path.parent / name, root, f"{path}: extends") for name in names]


def _inside(path: Path, root: Path, where: str) -> Path:
    try:
        resolved = path.resolve()
        is_inside = resolved.is_relative_to(root.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the name
        raise ConfigError(where, found=f"{shown(str(path))}: {error}", expected="a readable file") from error
    if not is_inside:
        raise ConfigError(where, found=shown(str(path)), expected="a file inside the workspace's folder")
    return resolved


def read_text(path: Path) -> str:
    """The text of a settings file.

    Raises:
        ConfigError: if it is missing, not a regular file, larger than 1 MiB, or not UTF-8.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError(str(path), found="not a regular file", expected="a YAML file")
        if status.st_size > MAX_BYTES:
            raise ConfigError(str(path), found=f"{status.st_size:,} bytes", expected=f"at most {MAX_BYTES:,}")
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        advice = "`recsysops init DATA` writes one"
        raise ConfigError(str(path), found="no such file", expected="a YAML file", next_step=advice) from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), found=f"byte {error.start} is not UTF-8", expected="UTF-8 text") from error
    except (OSError, ValueError) as error:
        raise ConfigError(str(path), found=str(error), expected="a readable file") from error
