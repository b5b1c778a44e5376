"""PagerDuty and Opsgenie: an incident is one alert there too, by its key, and is closed when it is over.

Both are spoken to directly rather than through Apprise, which (in 2.2) cannot acknowledge and closes Opsgenie's alerts only
by numbers kept on the machine that opened them.

Source:
    PagerDuty Events API v2 (https://developer.pagerduty.com/docs/events-api-v2); Opsgenie Alert API
    (https://docs.opsgenie.com/docs/alert-api).
"""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

from recsysops.config.notification_settings import TargetSettings
from recsysops.notifications.http import post_json
from recsysops.notifications.notice import ENDS, Notice

PAGERDUTY = "https://events.pagerduty.com"
OPSGENIE = "https://api.opsgenie.com"
Action = Literal["trigger", "acknowledge", "resolve"]


def page(target: TargetSettings, notice: Notice, workspace: str) -> None:
    """Trigger, acknowledge or resolve the alert of the notice's subject.

    Raises:
        SendError: if it was not taken.
    """
    key = dedup_key(workspace, notice.subject)
    send = _pagerduty if target.kind == "pagerduty" else _opsgenie
    send(target, notice, workspace, key)


def dedup_key(workspace: str, subject: str) -> str:
    """What the pager knows an alert by: ``recsysops/streaming/incident 41``.

    Example:
        >>> dedup_key("streaming", "incident 41")
        'recsysops/streaming/incident-41'
    """
    return f"recsysops/{workspace}/{subject}".replace(" ", "-")


def action_of(notice: Notice) -> Action:
    """What the pager has to do."""
    if notice.event in ENDS:
        return "resolve"
    return "acknowledge" if notice.event == "acknowledged" else "trigger"


def _pagerduty(target: TargetSettings, notice: Notice, workspace: str, key: str) -> None:
    action = action_of(notice)
    event: dict[str, Any] = {"routing_key": target.api_key, "event_action": action, "dedup_key": key}
    if action == "trigger":
        event["payload"] = {
            "summary": notice.message.title[:1024],
            "source": workspace,
            "severity": notice.severity,
            "component": notice.subject,
            "custom_details": {"text": notice.message.body},
        }
    post_json(f"{_base(target, PAGERDUTY)}/v2/enqueue", event, {}, target.timeout_seconds)


def _opsgenie(target: TargetSettings, notice: Notice, workspace: str, key: str) -> None:
    action, base = action_of(notice), f"{_base(target, OPSGENIE)}/v2/alerts"
    headers = {"Authorization": f"GenieKey {target.api_key}"}
    if action == "trigger":
        url, value = (
            base,
            {
                "message": notice.message.title[:130],
                "alias": key[:512],
                "description": f"{notice.message.title}\n\n{notice.message.body}"[:15_000],
                "source": "recsysops",
                "entity": notice.subject,
                "tags": ["recsysops", notice.severity],
                "priority": "P1" if notice.severity == "critical" else "P3",
            },
        )
    else:
        verb = "close" if action == "resolve" else "acknowledge"
        url = f"{base}/{quote(key[:512], safe='')}/{verb}?identifierType=alias"
        value = {"source": "recsysops", "note": notice.message.title}
    post_json(url, value, headers, target.timeout_seconds)


def _base(target: TargetSettings, usual: str) -> str:
    return (target.url or usual).rstrip("/")
