"""Every known error, drawn as one tree by what the operator does next.

RecSysOpsError
├── ConfigError         edit recsysops.yaml, or the command's words      exit 2
├── SchemaError         fix the export: a column, a type, a value        exit 2
├── SourceError         a file or database cannot be read                exit 2
├── NotEnoughDataError  widen the window                                 exit 2
├── LockHeldError       wait for the other run                           exit 2
├── StateError          the workspace's own state is damaged             exit 2
├── PluginError         fix the installation of a plugin                 exit 2
├── EngineError         the cluster that counts is away or gave up       exit 2
├── DeployError         nothing changed                                  exit 4
└── RollbackError       page someone                                     exit 5

A message says what was found, what was expected, where, and what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class RecSysOpsError(Exception):
    """An error we expected might happen; the command line shows it as one line, never as a traceback.

    Example:
        >>> str(SchemaError("candidates.position", found="-1 in 37 rows", expected="an int >= 1", next_step="export 1-based"))
        'candidates.position: found -1 in 37 rows, expected an int >= 1; export 1-based'
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, where: str, *, found: str, expected: str = "", next_step: str = "") -> None:
        self.where = where
        self.found = found
        self.expected = expected
        self.next_step = next_step
        super().__init__(where, found, expected, next_step)

    def __str__(self) -> str:
        wanted = f", expected {self.expected}" if self.expected else ""
        advice = f"; {self.next_step}" if self.next_step else ""
        return f"{self.where}: found {self.found}{wanted}{advice}"


class ConfigError(RecSysOpsError):
    """The configuration, or the words of a command, cannot be used as they stand."""


class SchemaError(RecSysOpsError):
    """A table's columns, types or values break the data contract."""


class SourceError(RecSysOpsError):
    """A file, folder or database cannot be read."""


class NotEnoughDataError(RecSysOpsError):
    """There is too little data to do what was asked."""


class LockHeldError(RecSysOpsError):
    """Another run holds the workspace."""


class StateError(RecSysOpsError):
    """The workspace's own state (profiles, database) is damaged or from another version."""


class PluginError(RecSysOpsError):
    """A plugin is broken, or two of them claim the same name or code."""


class EngineError(RecSysOpsError):
    """The cluster that is to do the counting cannot be reached, or gave up."""


class DeployError(RecSysOpsError):
    """A deployment was refused, declined or failed; nothing changed."""

    exit_code = 4


class RollbackError(RecSysOpsError):
    """An undo failed: serving may hold what should be gone."""

    exit_code = 5
