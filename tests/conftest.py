"""What tests of several rooms need: a private server of PostgreSQL where it is installed, places for the state, and logs that are
made once."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from recsysops import Workspace
from recsysops.incidents.location import StateLocation

if TYPE_CHECKING:
    from tiny_world import TinyWorld

    from recsysops.reporting.detect_report import DetectReport

NUMBERS = count(1)


def programs() -> Path | None:
    """The folder of PostgreSQL's own programs, the newest version's; Debian keeps them off the path."""
    found = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return Path(found).resolve().parent if found else installed[-1].parent if installed else None


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server that listens on a socket in a folder of its own, gone after the tests."""
    folder_of = programs()
    if folder_of is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="recsysops-pg-", dir="/tmp"))  # short: a socket's path has 107 bytes
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

    def run(*words: str) -> None:
        done = subprocess.run(words, user=user, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    data, log = str(folder / "data"), str(folder / "log")
    try:
        run(str(folder_of / "initdb"), "-D", data, "-U", "team", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=20"
        run(str(folder_of / "pg_ctl"), "-D", data, "-l", log, "-w", "-o", settings, "start")
        try:
            yield f"postgresql+psycopg://team@/postgres?host={folder}"
        finally:
            run(str(folder_of / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def server(postgres_url: str, tmp_path: Path) -> StateLocation:
    """A place on the server that no other test uses."""
    return StateLocation(tmp_path / "state", postgres_url, f"test_{os.getpid()}_{next(NUMBERS)}")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StateLocation:
    """Both kinds of place, one after the other."""
    if request.param == "sqlite":
        return StateLocation(tmp_path / "state")
    location: StateLocation = request.getfixturevalue("server")
    return location


@pytest.fixture(scope="session")
def tiny_world(tmp_path_factory: pytest.TempPathFactory) -> TinyWorld:
    """A small service that has run warm-up and three days of its log."""
    from tiny_world import TinyWorld

    return TinyWorld.begin(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def log(tiny_world: TinyWorld) -> Path:
    """The folder of that service after ten days of its log without a fault; two models came into service meanwhile."""
    return tiny_world.clean(7).folder


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DetectReport]:
    """A folder of the small log whose days are judged, and what was found; tests must not write there."""
    from looking_logs import write_logs

    folder = write_logs(tmp_path_factory.mktemp("looking") / "logs")
    return folder, Workspace(folder).detect(since="3d")
