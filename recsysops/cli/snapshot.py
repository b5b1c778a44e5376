"""``recsysops snapshot``."""

from __future__ import annotations

from dataclasses import asdict

import typer

from recsysops.cli.options import options_of
from recsysops.cli.output import print_json, print_lines


def run(ctx: typer.Context) -> int:
    """Keep what changed in the upstream tables."""
    from recsysops.reporting.record_view import snapshot_lines

    options = options_of(ctx)
    results = options.workspace().snapshot()
    if options.json:
        tables = [{**asdict(result), "path": str(result.path) if result.path else None} for result in results]
        print_json({"schema_version": 1, "tables": tables})
    else:
        print_lines(snapshot_lines(results), options)
    return 0
