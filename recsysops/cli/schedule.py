"""``recsysops schedule install|show|remove|run``: runs started by cron or systemd."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines
from recsysops.cli.telling import place_of

app = typer.Typer(rich_markup_mode=None)


class System(StrEnum):
    """What starts the runs."""

    CRON = "cron"
    SYSTEMD = "systemd"


class Tier(StrEnum):
    """What is run."""

    FAST = "fast"
    DAILY = "daily"
    NOTICES = "notices"


Environment = Annotated[
    Path | None, typer.Option("--environment", help="Lines NAME=VALUE for what cron does not know.", metavar="FILE")
]


@app.command("install")
def install(
    ctx: typer.Context,
    system: Annotated[System | None, typer.Option("--with", help="cron or systemd; else what is there.")] = None,
    environment: Environment = None,
) -> int:
    """Start the runs of this workspace by cron or systemd."""
    from recsysops.reporting.lines import Line, next_lines
    from recsysops.scheduling.environment import read_environment
    from recsysops.scheduling.installing import install as put
    from recsysops.scheduling.jobs import commands_of, jobs_of, program_words

    options = options_of(ctx)
    workspace = options.workspace()
    program = program_words(workspace.root, options.env, options.brand)
    if environment is not None:
        read_environment(environment)
    jobs = jobs_of(workspace.settings, tiers())
    there = put(workspace.root, commands_of(jobs, program, environment), system.value if system else None)
    if options.json:
        print_json({"schema_version": 1, "installed": there.to_dict()})
        return 0
    told = [Line(f"Scheduled by {there.system}: {', '.join(f'{job.tier} {job.words}' for job in jobs)}", "bold")]
    told += [Line(f"  {line}") for line in there.lines]
    told += [Line(""), *next_lines([f"{options.command} schedule show", f"{options.command} notify test"])]
    print_lines(told, options)
    return 0


@app.command("show")
def show(ctx: typer.Context) -> int:
    """What is scheduled, and how the last runs ended."""
    from recsysops.notifications.run_note import read_notes
    from recsysops.scheduling.installing import installed
    from recsysops.scheduling.view import schedule_lines, schedule_record

    options = options_of(ctx)
    workspace = options.workspace()
    there, notes = installed(workspace.root), read_notes(workspace.location.folder)
    if options.json:
        print_json(schedule_record(there, notes))
    else:
        state, now = workspace.location.folder, datetime.now(UTC)
        print_lines(schedule_lines(there, notes, state, options.command, now), options)
    return 0


@app.command("remove")
def remove(ctx: typer.Context) -> int:
    """Start nothing by itself any more; other lines of the crontab stay as they are."""
    from recsysops.reporting.lines import Line
    from recsysops.scheduling.installing import remove as take_out

    options = options_of(ctx)
    gone = take_out(options.workspace().root)
    if options.json:
        print_json({"schema_version": 1, "removed": [one.to_dict() for one in gone]})
    else:
        systems = " and ".join(one.system for one in gone)
        print_lines([Line(f"Removed from {systems}" if gone else "Nothing was scheduled for this workspace")], options)
    return 0


@app.command("run")
def run(
    ctx: typer.Context,
    tier: Annotated[Tier, typer.Argument(help="fast, daily, or notices that waited.", metavar="TIER")],
    environment: Environment = None,
) -> int:
    """Run one tier as cron does: lock, retries, ping, log, alarms."""
    import sys

    from recsysops.errors import ConfigError
    from recsysops.scheduling.environment import read_environment
    from recsysops.scheduling.jobs import detect_words, program_words
    from recsysops.scheduling.running import Runner

    options = options_of(ctx)
    if tier is Tier.FAST and "fast" not in tiers():
        raise ConfigError("schedule run", found="fast", expected="daily: this version's detect has no other tier")
    if environment is not None:
        os.environ.update(read_environment(environment))
    workspace = options.workspace()
    program = program_words(workspace.root, options.env, options.brand)
    words = detect_words(tier.value, has_tiers="fast" in tiers())
    done = Runner(place_of(options, workspace), tier.value, [*program, *words]).run()
    for problem in done.said:
        print(f"schedule: {problem}", file=sys.stderr)
    if options.json:
        print_json({"schema_version": 1, "exit_code": done.exit_code, "tries": done.n_tries, "said": list(done.said)})
    return done.exit_code


def tiers() -> tuple[str, ...]:
    """The tiers that ``detect`` knows."""
    import inspect

    from recsysops.cli import detect

    return ("fast", "daily") if "tier" in inspect.signature(detect.run).parameters else ("daily",)
