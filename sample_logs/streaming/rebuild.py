"""Rebuild the streaming sample: simulate the service and pack its files.

    python -m recsysops.sample_logs.streaming.rebuild --out DIR

It takes about a minute. On one machine with the locked libraries the files are the same bytes (``SHA256SUMS``); elsewhere
LightGBM may round differently. ``--clean`` makes the twin without the fault, from which README.md takes its figures.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

from recsysops.drills.world.size import WorldSize
from recsysops.sample_logs.streaming.packing import pack
from recsysops.sample_logs.streaming.story import SEED, SIZE, simulate
from recsysops.tables.atomic import write_atomically

SUMS = "SHA256SUMS"


def rebuild(out: Path, *, size: WorldSize = SIZE, seed: int = SEED, is_clean: bool = False) -> None:
    """Write ``recsysops.yaml``, ``logs/``, ``models/`` and ``SHA256SUMS`` below ``out``.

    Raises:
        FileExistsError: if ``out`` is there and not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out}: found a folder that is not empty, expected a new or an empty one; name another")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as temporary:
        simulate(Path(temporary), size, seed, is_clean=is_clean)
        pack(Path(temporary), out)
    text = "".join(f"{digest}  {name}\n" for name, digest in digests(out).items())
    write_atomically(out / SUMS, lambda path: _write(path, text))


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of the workspace below ``folder``, by its relative name, in order."""
    files = [folder / "recsysops.yaml", *(folder / "logs").rglob("*.parquet"), *(folder / "models").iterdir()]
    found = {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    return dict(sorted(found.items()))


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m recsysops.sample_logs.streaming.rebuild", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, required=True, help="new or empty folder for the workspace")
    parser.add_argument("--clean", action="store_true", help="without the wrong language")
    options = parser.parse_args(arguments)
    try:
        rebuild(options.out, is_clean=options.clean)
    except OSError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="ascii")


if __name__ == "__main__":
    sys.exit(main())
