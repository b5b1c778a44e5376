"""Every verb with its line of help, and the parser built from them.

Only the verbs whose words were typed are imported; the others stand in the help with the line below.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module

import typer

from recsysops.cli.options import read_options

SEE_GLOBAL = (
    "Global options (--workspace, --env, --brand, --json, --quiet, --verbose, --no-color, --debug) stand before "
    "or after the verb; `recsysops --help` explains them."
)


@dataclass(frozen=True)
class Verb:
    """A verb and what it does, in one line; its module has ``run``, or ``app`` when it has verbs of its own."""

    name: str
    help: str
    is_group: bool = False


VERBS = (
    Verb("demo", "Try it all on logs that come with the program."),
    Verb("init", "Look at logs and write a commented recsysops.yaml."),
    Verb("check", "Is the workspace sound, and what would switch on more?"),
    Verb("status", "Where things stand: data, runs, incidents, blind spots."),
    Verb("show", "How a measure moved, day by day, with its usual band."),
    Verb("items", "How items fare: is it happening to mine?", is_group=True),
    Verb("snapshot", "Keep what changed in the upstream tables."),
    Verb("change", "Record a deploy, configuration or experiment.", is_group=True),
    Verb("detect", "Judge the days (or hours) not yet judged and report incidents."),
    Verb("incident", "Work on incidents: list, show, ack, handoff, resolve, retro.", is_group=True),
    Verb("compare", "Judge one cohort against another: models, policies."),
    Verb("replay", "Score logged requests again; which stage differs first?"),
    Verb("diagnose", "From a symptom to a proven cause: an item, an incident.", is_group=True),
    Verb("peers", "Which items can an item be compared with?"),
    Verb("detectors", "List the detectors, or show one.", is_group=True),
    Verb("schedule", "Start runs by cron or systemd, or stop that.", is_group=True),
    Verb("notify", "Test where notices go, or send what waits.", is_group=True),
    Verb("drill", "Plant known faults and report what is found.", is_group=True),
)


def parser(words: Collection[str]) -> typer.Typer:
    """The command line, with those verbs loaded that occur among the words."""
    app = typer.Typer(
        help="Operations for recommenders in production: detect, predict, diagnose, resolve.",
        epilog="Exit codes: 0 clean, 1 findings, 2 usage, configuration or data, 3 internal error, "
        "6 something could not be looked at, 130 interrupted.",
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(read_options)
    for verb in VERBS:
        _add(app, verb, is_loaded=verb.name in words)
    return app


def _add(app: typer.Typer, verb: Verb, *, is_loaded: bool) -> None:
    if not is_loaded:
        app.command(verb.name, help=verb.help)(_not_loaded)
        return
    module = import_module(f"recsysops.cli.{verb.name}")
    if verb.is_group:
        app.add_typer(module.app, name=verb.name, help=verb.help, epilog=SEE_GLOBAL)
    else:
        app.command(verb.name, epilog=SEE_GLOBAL)(module.run)


def _not_loaded() -> None:
    """Stands for a verb in the help; never called, since typing a verb's word loads it."""
