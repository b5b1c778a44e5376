"""``recsysops detect``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from recsysops.cli.options import Options, options_of
from recsysops.cli.output import print_json, print_lines, screen_width
from recsysops.cli.progress import progress_for
from recsysops.cli.telling import tell

if TYPE_CHECKING:
    from recsysops.reporting.detect_report import DetectReport


class TierName(StrEnum):
    """How often, and therefore at what."""

    FAST = "fast"
    DAILY = "daily"


class FailOn(StrEnum):
    """Least severity that makes the exit code 1."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


Only = Annotated[
    list[str] | None, typer.Option("--only", help="Detector or glob; repeatable; keeps nothing.", metavar="NAME")
]
Skip = Annotated[
    list[str] | None, typer.Option("--skip", help="To leave out; repeatable; keeps nothing.", metavar="NAME")
]
Tiers = Annotated[TierName, typer.Option("--tier", help="fast: hours, by the detectors that can; daily: days, by all.")]
Fail = Annotated[FailOn | None, typer.Option("--fail-on", help="Least severity for exit code 1; else the settings'.")]


def run(
    ctx: typer.Context,
    date: Annotated[str | None, typer.Option("--date", help="Judge this day, again if need be.", metavar="DAY")] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="Judge again from this day on, or 90d back.", metavar="DAY|Nd")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option("--reference", help="Fixed days to compare with, instead of those before.", metavar="A..B|A,B"),
    ] = None,
    shakedown: Annotated[
        bool,
        typer.Option("--shakedown", help="With --since: list what history would have raised; tells nobody."),
    ] = False,
    only: Only = None,
    skip: Skip = None,
    fail_on: Fail = None,
    explain: Annotated[
        str | None,
        typer.Option("--explain", help="Print the arithmetic of this finding instead; judges nothing.", metavar="ID"),
    ] = None,
    tier: Tiers = TierName.DAILY,
) -> int:
    """Judge the days (or hours) not yet judged and report incidents."""
    from recsysops.errors import ConfigError
    from recsysops.reporting.detect_view import detect_lines

    if date is not None and since is not None:
        raise ConfigError("--date and --since", found="both", expected="one of them")
    if shakedown and since is None:
        raise ConfigError("--shakedown", found="no --since", expected="how far to look back, e.g. --since 90d")
    options = options_of(ctx)
    if explain is not None:
        return explained(options, explain)
    workspace = options.workspace()
    report = workspace.detect(
        date,
        since,
        reference,
        only=only or (),
        skip=skip or (),
        fail_on=fail_on.value if fail_on else None,
        progress=progress_for(options),
        tier=tier.value,
    )
    if shakedown:
        shaken(options, report)
    elif options.json:
        print_json({**report.to_dict(), "notifications": tell(options, workspace, report, tier.value)})
    else:
        print_lines(detect_lines(report, screen_width(), verbose=options.verbose, command=options.command), options)
        tell(options, workspace, report, tier.value)
    return report.exit_code


def shaken(options: Options, report: DetectReport) -> None:
    """Print what history would have raised; nobody is notified of it."""
    from recsysops.reporting.shakedown_view import shakedown_lines

    if options.json:
        print_json(report.to_dict())
    else:
        print_lines(shakedown_lines(report, screen_width(), command=options.command), options)


def explained(options: Options, finding_id: str) -> int:
    """Print the arithmetic of a finding."""
    from recsysops.reporting.explain_view import explain_lines

    told = options.workspace().explain(finding_id, progress=progress_for(options))
    if options.json:
        print_json(told.to_dict())
    else:
        print_lines(explain_lines(told, screen_width(), command=options.command), options)
    return 0
