"""The log of scheduled runs: a line of answer each, its complaints below; older logs are kept, up to a number."""

from __future__ import annotations

from pathlib import Path

FILE_NAME = "schedule.log"


def append(folder: Path, text: str, *, max_bytes: int, n_files: int) -> None:
    """Add text to the log, which starts anew before it grows beyond ``max_bytes``.

    Args:
        folder: of the logs; made when missing.
        text: whole lines.
        max_bytes: of one log; a single entry may be larger.
        n_files: older logs that are kept, ``schedule.log.1`` the newest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    data = text.encode(errors="replace")
    if path.exists() and path.stat().st_size + len(data) > max_bytes:
        _rotate(path, n_files)
    with path.open("ab") as log:
        log.write(data)


def _rotate(path: Path, n_files: int) -> None:
    numbered = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, n_files + 1))]
    for older, newer in zip(reversed(numbered), reversed(numbered[:-1]), strict=False):
        if newer.exists():
            newer.replace(older)
