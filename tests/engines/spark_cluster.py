"""A standalone Spark cluster on loopback: a master and some workers, each a process group that can be killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

HOST = "127.0.0.1"
STARTUP_SECONDS = 120


@dataclass(frozen=True)
class Cluster:
    """``master`` is its URL."""

    master: str
    workers: tuple[subprocess.Popen[bytes], ...]

    def kill(self, worker: int) -> None:
        """Kill a worker and the executors it started, without a word."""
        kill_group(self.workers[worker])

    @property
    def options(self) -> dict[str, str | int]:
        """What a driver must say to use all of it: an executor of one core on each worker."""
        return {
            "spark.driver.host": HOST,
            "spark.driver.bindAddress": HOST,
            "spark.executor.cores": 1,
            "spark.executor.memory": "512m",
            "spark.cores.max": len(self.workers),
            "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        }


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group of its own, and the group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def java_version() -> int:
    """Of the Java on the path or under JAVA_HOME; 0 when there is none."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None:
        return 0
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found.group(1)) if found else 0


def skip_without_spark() -> None:
    """Skip the test, visibly, where pyspark or Java 17 is missing."""
    pytest.importorskip("pyspark", reason="pyspark is not installed (pip install 'recsysops[spark]')")
    if java_version() < 17:
        pytest.skip("Java 17 is not installed (Debian: apt-get install openjdk-17-jre-headless)")


@contextmanager
def spark_cluster(folder: Path, n_workers: int = 2) -> Iterator[Cluster]:
    """A cluster for as long as the block lasts; its files are below ``folder``."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        words: tuple[str, ...] = ("--host", HOST, "--port", "0", "--webui-port", "0")
        processes.append(_start(folder / "master", "org.apache.spark.deploy.master.Master", *words))
        url = _wait(folder / "master" / "log", r"Starting Spark master at (spark://\S+)")
        for number in range(n_workers):
            own = folder / f"worker-{number}"
            words = ("--host", HOST, "--webui-port", "0", "-c", "1", "-m", "1g", "--work-dir", str(own / "work"), url)
            processes.append(_start(own, "org.apache.spark.deploy.worker.Worker", *words))
        for number in range(n_workers):
            _wait(folder / f"worker-{number}" / "log", r"(Successfully registered with master)")
        yield Cluster(url, tuple(processes[1:]))
    finally:
        for process in processes:
            kill_group(process)


def _start(folder: Path, main: str, *words: str) -> subprocess.Popen[bytes]:
    import pyspark

    folder.mkdir(parents=True)
    home = Path(str(pyspark.__file__)).parent
    environ = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": HOST, "PYSPARK_PYTHON": sys.executable}
    settings = folder / "log4j2.properties"
    settings.write_text(
        "rootLogger.level = info\nrootLogger.appenderRef.stdout.ref = console\n"
        "appender.console.type = Console\nappender.console.name = console\n"
        "appender.console.target = SYSTEM_ERR\nappender.console.layout.type = PatternLayout\n"
        "appender.console.layout.pattern = %m%n\n"
    )
    environ["SPARK_DAEMON_JAVA_OPTS"] = f"-Dlog4j2.configurationFile={settings}"
    with (folder / "log").open("wb") as output:
        return subprocess.Popen(
            [str(home / "bin" / "spark-class"), main, *words],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _wait(log: Path, pattern: str) -> str:
    """What a process says once it is up."""
    for _ in range(STARTUP_SECONDS * 10):
        found = re.search(pattern, log.read_text(errors="replace"))
        if found:
            return found.group(1)
        time.sleep(0.1)
    raise AssertionError(f"no {pattern!r} in {log}:\n{log.read_text(errors='replace')[-2000:]}")
