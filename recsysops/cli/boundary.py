"""The one place where errors become a line and an exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

import typer

from recsysops import __version__
from recsysops.cli.arguments import hoisted
from recsysops.cli.verbs import parser
from recsysops.errors import RecSysOpsError
from recsysops.reporting.plain import literal

INTERNAL_ERROR = 3
INTERRUPTED = 130
# typer carries its own copy of click since 0.2x and used the real one before; both name the class the same.
UsageProblem = next(cls for cls in typer.BadParameter.__mro__ if cls.__name__ == "ClickException")


def guarded(argv: Sequence[str]) -> int:
    """Run one command; every error becomes one line on stderr, and with ``--json`` an object on stdout as well.

    Returns:
        the exit code: 2 for what the operator can mend (4 and 5 for deployments), 3 for what only we can, 130 when
        interrupted.
    """
    words = hoisted(argv)
    if "--version" in words:
        print(f"recsysops {__version__}")
        return 0
    is_json, is_debug = "--json" in words, "--debug" in words
    try:
        with _terminate_like_interrupt():
            return run(words)
    except (KeyboardInterrupt, typer.Abort):
        return _say("interrupted", "Interrupted", INTERRUPTED, is_json=is_json)
    except RecSysOpsError as error:
        if is_debug:
            _print_traceback()
        return _say(str(error), type(error).__name__, error.exit_code, is_json=is_json)
    except OSError as error:
        if is_debug:
            _print_traceback()
        return _say(_of_the_system(error), "SystemError", 2, is_json=is_json)
    except Exception as error:  # the boundary: nothing beyond it would turn a defect into an exit code
        return _unexpected(error, is_debug=is_debug, is_json=is_json)


def run(words: Sequence[str]) -> int:
    """Run one command without the boundary; the verb's own exit code is returned, errors are raised."""
    command = typer.main.get_command(parser(words))
    outcome = command.main(list(words) or ["--help"], prog_name="recsysops", standalone_mode=False)
    return outcome if isinstance(outcome, int) else 0


def _unexpected(error: Exception, *, is_debug: bool, is_json: bool) -> int:
    """What is no error of ours: the parser's complaint, an interrupt in disguise, or a defect."""
    if _is_interruption(error):
        return _say("interrupted", "Interrupted", INTERRUPTED, is_json=is_json)
    if isinstance(error, UsageProblem):
        return _say(_usage(error), "UsageError", 2, is_json=is_json)
    if is_debug:
        _print_traceback()
    advice = "" if is_debug else "; this is a defect of recsysops, `--debug` shows where"
    return _say(f"{type(error).__name__}: {error}{advice}", "InternalError", INTERNAL_ERROR, is_json=is_json)


def _of_the_system(error: OSError) -> str:
    """A full disk, a folder without permission: which file, and what the system said."""
    where, found = error.filename or "a file of the workspace", error.strerror or str(error)
    return (
        f"{where}: found {found}, expected to read and write there; free space or correct permissions, then run again"
    )


def _is_interruption(error: Exception) -> bool:
    """DuckDB turns an interrupt in the middle of a query into an error of its own."""
    return type(error) is RuntimeError and str(error) == "Query interrupted"


def _usage(error: Exception) -> str:
    """The parser's complaint as one line, with the help that applies."""
    message = " ".join(str(error.format_message()).split())  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "recsysops"
    return f"{message.rstrip('.')}; see `{path} --help`"


def _say(message: str, kind: str, exit_code: int, *, is_json: bool) -> int:
    line = literal(message)
    with suppress(BrokenPipeError):
        print(f"error: {line}", file=sys.stderr)
        if is_json:
            import json

            error = {"kind": kind, "message": line, "exit_code": exit_code}
            print(json.dumps({"schema_version": 1, "error": error}, ensure_ascii=False))
    return exit_code


def _print_traceback() -> None:
    import traceback

    traceback.print_exc()


@contextmanager
def _terminate_like_interrupt() -> Iterator[None]:
    """SIGTERM unwinds the stack as Ctrl-C does, so that locks and half-written files are let go of."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        previous = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread: its owner handles signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
