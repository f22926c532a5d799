"""Texts of webhook payloads, in the form in which common programs send them (docs/bots.md, "Webhooks")."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from server.web.api.hook_payloads import FORM_TYPE, extract_text
from tui_chat.protocol import errors

PAYLOADS: dict[str, tuple[Any, str]] = {
    "minimal": ({"text": "deploy finished", "username": "ci", "icon_emoji": ":rocket:"}, "deploy finished"),
    "Slack markup": (
        {"text": "<https://ci.example/7|build 7> by <@U1|ann> &amp; <!here>: 1 &lt; 2, <b>"},
        "build 7 (https://ci.example/7) by @ann & @here: 1 < 2, <b>",
    ),
    "Gitea, type Slack": (
        {
            "channel": "#tea",
            "text": "[<https://git.example/a/b|a/b>:<https://git.example/a/b/src/branch/main|main>] 1 new commit",
            "username": "Gitea",
            "icon_url": "",
            "unfurl_links": 0,
            "link_names": 0,
            "attachments": [
                {
                    "fallback": "",
                    "color": "warning",
                    "title": "",
                    "title_link": "",
                    "text": "<https://git.example/a/b/commit/1f2e|1f2e>: Fix the kettle - ann",
                    "fields": None,
                }
            ],
        },
        "[a/b (https://git.example/a/b):main (https://git.example/a/b/src/branch/main)] 1 new commit\n"
        "1f2e (https://git.example/a/b/commit/1f2e): Fix the kettle - ann",
    ),
    "Alertmanager, slack_configs": (
        {
            "channel": "#tea",
            "username": "Alertmanager",
            "attachments": [
                {
                    "title": "[FIRING:1] DiskFull",
                    "title_link": "https://alerts.example/#/alerts",
                    "text": "",
                    "fallback": "[FIRING:1] DiskFull | https://alerts.example/#/alerts",
                    "callback_id": "",
                    "footer": "",
                    "color": "danger",
                    "mrkdwn_in": ["fallback", "pretext", "text"],
                }
            ],
        },
        "[FIRING:1] DiskFull (https://alerts.example/#/alerts)",
    ),
    "Alertmanager, webhook_configs": (
        {
            "version": "4",
            "status": "firing",
            "receiver": "chat",
            "alerts": [
                {
                    "status": "firing",
                    "labels": {"alertname": "DiskFull", "instance": "web1"},
                    "annotations": {"summary": "/var is 95 % full"},
                    "startsAt": "2026-11-29T12:00:00Z",
                },
                {"status": "resolved", "labels": {"alertname": "Down"}, "annotations": {}},
            ],
            "commonLabels": {},
            "externalURL": "https://alerts.example",
        },
        "[FIRING] DiskFull: /var is 95 % full\n[RESOLVED] Down",
    ),
    "an alert without a status": ({"alerts": [{"labels": {"alertname": "Down"}}]}, "Down"),
    "Grafana, webhook": (
        {
            "receiver": "chat",
            "status": "firing",
            "title": "[FIRING:1] CPU (web1)",
            "state": "alerting",
            "message": "**Firing**\n\nValue: A=97",
            "alerts": [{"status": "firing", "labels": {"alertname": "CPU"}}],
        },
        "[FIRING:1] CPU (web1)\n**Firing**\n\nValue: A=97",
    ),
    "Grafana, Slack": (
        {
            "channel": "",
            "username": "Grafana",
            "attachments": [
                {
                    "title": "[FIRING:1] CPU",
                    "title_link": "https://grafana.example/alerting/list",
                    "text": "**Firing**",
                    "fallback": "[FIRING:1] CPU",
                    "footer": "Grafana v11",
                    "color": "#D63232",
                    "ts": 1764417600,
                }
            ],
        },
        "[FIRING:1] CPU (https://grafana.example/alerting/list)\n**Firing**",
    ),
    "Discord": (
        {
            "username": "Grafana",
            "avatar_url": "https://a.example/a.png",
            "content": "CPU is high <@&1>",
            "embeds": [
                {
                    "title": "Alert",
                    "url": "https://a.example",
                    "description": "97 %",
                    "fields": [{"name": "host", "value": "web1"}],
                    "footer": {"text": "v11"},
                }
            ],
        },
        "CPU is high <@&1>\nAlert (https://a.example)\n97 %\nhost: web1",
    ),
    "Uptime Kuma, webhook": (
        {"heartbeat": {"status": 0, "msg": "timeout"}, "monitor": {"name": "web"}, "msg": "[web] [🔴 Down] timeout"},
        "[web] [🔴 Down] timeout",
    ),
    "Uptime Kuma, Slack": (
        {
            "text": "Uptime Kuma Alert",
            "channel": "",
            "username": "Uptime Kuma",
            "icon_emoji": ":bell:",
            "attachments": [
                {
                    "color": "#e01e5a",
                    "blocks": [
                        {"type": "header", "text": {"type": "plain_text", "text": "Uptime Kuma Alert"}},
                        {"type": "section", "fields": [{"type": "mrkdwn", "text": "*Message*\n[web] down"}]},
                    ],
                }
            ],
        },
        "Uptime Kuma Alert\nUptime Kuma Alert\n*Message*\n[web] down",
    ),
    "GitLab, Slack": (
        {
            "text": "ann pushed to branch <https://gitlab.example/a/b|main>",
            "username": "GitLab",
            "attachments": [{"fallback": "Fix", "text": "1f2e: Fix - ann", "color": "#345"}],
        },
        "ann pushed to branch main (https://gitlab.example/a/b)\n1f2e: Fix - ann",
    ),
    "Jenkins, Slack": (
        {"channel": "#ci", "attachments": [{"fallback": "job #7 SUCCESS", "text": "job #7 SUCCESS", "color": "good"}]},
        "job #7 SUCCESS",
    ),
    "Sentry": (
        {"project_name": "shop", "message": "ZeroDivisionError", "level": "error", "url": "https://sentry.example/1"},
        "ZeroDivisionError\nhttps://sentry.example/1",
    ),
    "Slack blocks with a fallback": (
        {"text": "fallback", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*build* 7"}}]},
        "*build* 7",
    ),
    "Slack blocks without a text": (
        {"text": "hi", "blocks": [{"type": "divider"}], "attachments": [{"text": "job failed"}]},
        "hi\njob failed",
    ),
    "an attachment with a fallback only": ({"attachments": [{"fallback": "job failed"}]}, "job failed"),
    "a string": ("hello", "hello"),
    "unexpected types": ({"text": 1, "content": None, "attachments": ["x", {"fields": 3}], "message": "hi"}, "hi"),
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_the_text_of_a_payload_is_extracted_from_json_and_form_bodies(name: str) -> None:
    payload, text = PAYLOADS[name]
    body = json.dumps(payload).encode()
    assert extract_text(body, "application/json") == text
    assert extract_text(urlencode({"payload": body}).encode(), FORM_TYPE) == text


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("disk 97 % full & rising\r\n", "text/plain", "disk 97 % full & rising"),
        ("disk 97 % full & a=b", FORM_TYPE, "disk 97 % full & a=b"),
        ("text=1+%3C+2", FORM_TYPE, "1 < 2"),
        ("<https://a.example|a> &lt;", "text/plain", "<https://a.example|a> &lt;"),
        ("\x1b[31mred", "text/plain", "[31mred"),
        ('{"text": "no JSON by its type"}', "text/plain", '{"text": "no JSON by its type"}'),
        ('{"text": "hi"}', "application/vnd.api+json", "hi"),
    ],
)
def test_the_content_type_selects_the_format_of_the_text(body: str, content_type: str, text: str) -> None:
    assert extract_text(body.encode(), content_type) == text


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"{", "application/json", "json_invalid"),
        (b'{"text": "\xff"}', "application/json", "json_invalid"),
        (b"[" * 100_000, "application/json", "json_too_deep"),
        (b'{"action": "opened", "repository": {"name": "b"}}', "application/json", "hook_text_missing"),
        (b"payload=%7B", FORM_TYPE, "json_invalid"),
        (b"\xff", "text/plain", "hook_text_missing"),
        (" \u200b ".encode(), "text/plain", "hook_text_missing"),
        (b"--x--", "multipart/form-data", "hook_text_missing"),
    ],
)
def test_a_body_without_text_is_rejected(body: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(errors.BadRequest) as caught:
        extract_text(body, content_type)
    assert caught.value.reason == reason


def test_a_long_text_ends_with_its_length() -> None:
    text = extract_text(b"x" * 12_345, "text/plain")
    assert len(text) == 4_000
    assert text.endswith("x\n… [12,345 characters in total]")
