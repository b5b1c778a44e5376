"""The sections ``notifications``, ``metrics`` and ``schedule``: secrets come from the environment and are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsysops.config.load import load_settings
from recsysops.config.settings import WorkspaceSettings
from recsysops.config.variables import unset_variables
from recsysops.errors import ConfigError

BASE = "tables:\n  candidates: {source: {path: x}, roles: {request_id: a, ts: b, item_id: c}}\n"


def load(folder: Path, text: str, **environ: str) -> WorkspaceSettings:
    path = folder / "recsysops.yaml"
    path.write_text(BASE + text)
    return load_settings(path, environ=environ)


def message(folder: Path, text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, text, **environ)
    return str(caught.value)


def test_secrets_come_from_the_environment(tmp_path: Path) -> None:
    text = "notifications: {targets: {oncall: {kind: pagerduty, api_key: '${KEY}'}, ops: {url: 'json://${HOST}/x'}}}\n"
    targets = load(tmp_path, text, KEY="k", HOST="h").notifications.targets
    assert (targets["oncall"].api_key, targets["oncall"].is_pager) == ("k", True)
    assert (targets["ops"].url, targets["ops"].is_pager) == ("json://h/x", False)


def test_an_unset_secret_does_not_keep_the_days_from_being_judged(tmp_path: Path) -> None:
    text = (
        "notifications: {targets: {ops: {url: 'json://${HOST}/x'}}}\nschedule: {daily: {ping_url: 'https://p/${ID}'}}\n"
    )
    settings = load(tmp_path, text)
    assert unset_variables(settings.notifications.targets["ops"].url or "") == ("HOST",)
    assert unset_variables(settings.schedule.daily.ping_url or "") == ("ID",)


@pytest.mark.parametrize(
    "text",
    [
        "notifications: 's3cret'",
        "notifications: {targets: ['s3cret']}",
        "notifications: {targets: {ops: 's3cret'}}",
        "notifications: {targets: {ops: {url: [s3cret]}}}",
        "notifications: {targets: {ops: {kind: pagerduty, url: 's3cret'}}}",
        "schedule: {daily: 's3cret'}",
        "schedule: {daily: {ping_url: [s3cret]}}",
    ],
)
def test_a_misplaced_secret_is_not_shown(tmp_path: Path, text: str) -> None:
    assert "s3cret" not in message(tmp_path, text + "\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("notifications: {targets: {ops: {kind: smoke}}}", "'smoke'"),
        ("notifications: {targets: {ops: {}}}", "notifications.targets.ops.url: found nothing"),
        ("notifications: {targets: {ops: {kind: opsgenie}}}", "notifications.targets.ops.api_key: found nothing"),
        ("notifications: {targets: {ops: {url: 'json://h'}}, routes: [{to: [oops]}]}", "found 'oops', expected ops"),
        ("notifications: {quiet_hours: {start: '25:00', end: '07:00'}}", "'25:00'"),
        ("notifications: {quiet_hours: {start: '22:00', end: '07:00', timezone: Mars}}", "'Mars'"),
        ("schedule: {retries: -1}", "-1"),
        ("schedule: {fast: {every: 5}}", "an unknown key"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(tmp_path: Path, text: str, said: str) -> None:
    assert said in message(tmp_path, text + "\n")
