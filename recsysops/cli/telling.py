"""What a verb does for notifications: where they come from, and problems said on stderr."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

from recsysops.cli.options import Options

if TYPE_CHECKING:
    from recsysops.notifications.after_run import Place
    from recsysops.notifications.deliver import Delivery
    from recsysops.reporting.detect_report import DetectReport
    from recsysops.workspace import Workspace


def place_of(options: Options, workspace: Workspace) -> Place:
    """The workspace as notices speak of it; commands in them can be pasted in any folder."""
    from recsysops.cli.verbs import VERBS
    from recsysops.notifications.after_run import Place
    from recsysops.notifications.texts import Voice

    named = (("--workspace", workspace.root.resolve()), ("--env", options.env), ("--brand", options.brand))
    words = [word for option, value in named if value is not None for word in (option, str(value))]
    has_incidents = any(verb.name == "incident" for verb in VERBS)
    voice = Voice(
        workspace.settings.name,
        shlex.join(["recsysops", *words]),
        ("incident show {id}", "incident ack {id}") if has_incidents else (),
    )
    return Place(workspace.settings, workspace.root, workspace.location, voice)


def tell(options: Options, workspace: Workspace, report: DetectReport, tier: str = "daily") -> dict[str, Any] | None:
    """Tell who has to know of a run; None when the run was only for looking."""
    if not report.is_kept:
        return None
    from recsysops.incidents import detecting
    from recsysops.notifications.after_run import after_detect

    delivery = after_detect(place_of(options, workspace), report, tier, detecting.utc_now())
    say_problems(delivery)
    return delivery.to_dict()


def say_problems(delivery: Delivery) -> None:
    """One line on stderr for each target that could not be reached."""
    for problem in delivery.problems:
        print(f"notify: {problem}", file=sys.stderr)
