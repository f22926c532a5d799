"""Text of the payloads that programs send to webhooks (docs/bots.md, "Webhooks").

- Slack and compatible programs: the texts in `blocks`, otherwise `text`; then `attachments`.
- Without a text of Slack: `content` (Discord), `message` (Grafana, Sentry) or `msg` (Uptime Kuma).
- Rich content: `embeds` of Discord follow. `alerts` of Alertmanager count only without any of these texts.
- Context: `title` precedes and `url` follows the text, unless the text contains them.
- Slack markup: links and escaped characters of `text`, `attachments` and `blocks` become plain text.
- Other fields, even of unexpected types, are ignored. A text above the limit of messages is truncated and ends with a
  note.
"""

import re
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import parse_qs

import msgspec

from tui_chat.protocol import codec, errors, sanitize
from tui_chat.protocol.limits import MESSAGE_CHARACTERS

FORM_TYPE = "application/x-www-form-urlencoded"

_SLACK_LINK = re.compile(r"<([^<>|\n]+)(?:\|([^<>\n]*))?>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))


def extract_text(body: bytes, content_type: str) -> str:
    """Return the message of a request body, sanitized, without surrounding space and within `MESSAGE_CHARACTERS`.

    Args:
        body: Body of the request.
        content_type: Media type of the body: JSON, a form with the field `payload` or `text`, or plain text for any
            other type. A form without these fields is plain text, as `curl -d` sends it.

    Raises:
        BadRequest: The JSON is malformed, a text is not UTF-8, the type is `multipart/…`, or the text is blank.
    """
    if content_type == "application/json" or content_type.endswith("+json"):
        text = _extract_from_json(_decode_json(body))
    elif content_type.startswith("multipart/"):
        text = ""
    else:
        text = _decode_text(body)
        if content_type == FORM_TYPE:
            text = _extract_from_form(text)
    text = sanitize.sanitize_body(text).strip()
    if sanitize.is_blank(text):
        raise errors.BadRequest("hook_text_missing")
    return _truncate(text)


def _decode_text(body: bytes) -> str:
    """Return a UTF-8 text; raise `BadRequest` for other bytes."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise errors.BadRequest("hook_text_missing") from None


def _decode_json(body: bytes | str) -> Any:
    """Return a decoded JSON value; raise `BadRequest` for malformed JSON."""
    try:
        return msgspec.json.decode(body)
    except errors.DECODE_ERRORS as error:
        raise codec.to_bad_request(error) from None


def _extract_from_form(text: str) -> str:
    """Return the text of the field `payload` in JSON, or else of `text`; of a repeated field, the first value counts.

    The result is the whole body if both fields are missing or empty, or if the form has more than 100 fields.

    Raises:
        BadRequest: The field `payload` is not valid JSON.
    """
    try:
        fields = parse_qs(text, max_num_fields=100)
    except ValueError:
        return text
    if "payload" in fields:
        return _extract_from_json(_decode_json(fields["payload"][0]))
    return _from_slack(fields["text"][0]) if "text" in fields else text


def _extract_from_json(payload: Any) -> str:
    """Return the text of a decoded JSON body by the rules of this module: a string unchanged, empty without a text."""
    if isinstance(payload, str):
        return payload
    text = _get_text(payload, "text")
    parts = list(_describe_blocks(payload)) or ([_from_slack(text)] if text else [])
    parts += _describe_attachments(payload)
    parts = parts or [_find_text(payload)]
    parts += _describe_embeds(payload)
    if not any(parts):
        parts = list(_describe_alerts(payload))
    return _add_context(payload, "\n".join(filter(None, parts)))


def _find_text(payload: Any) -> str:
    """Return the first of the fields `content`, `message` and `msg` that is not empty; empty without one."""
    return next(filter(None, (_get_text(payload, name) for name in ("content", "message", "msg"))), "")


def _add_context(payload: Any, text: str) -> str:
    """Add the title before a text and the URL after it, unless the text contains them.

    The title may be the only text. The URL requires a text or a title, and the scheme `http` or `https`.
    """
    title, url = _get_text(payload, "title"), _get_text(payload, "url")
    if title and title not in text:
        text = f"{title}\n{text}".strip()
    if text and url.startswith(("http://", "https://")) and url not in text:
        text = f"{text}\n{url}"
    return text


def _describe_attachments(payload: Any) -> Iterator[str]:
    """Yield the lines of the `attachments` of Slack; the `fallback` only of an attachment without other text."""
    for attachment in _get_items(payload, "attachments"):
        title, link = _get_text(attachment, "title"), _get_text(attachment, "title_link")
        lines = [
            _get_text(attachment, "pretext"),
            f"{title} ({link})" if title and link else title,
            _get_text(attachment, "text"),
            *(_join_field(field, "title", "value") for field in _get_items(attachment, "fields")),
        ]
        described = [_from_slack(line) for line in lines if line] + list(_describe_blocks(attachment))
        yield from described or filter(None, [_from_slack(_get_text(attachment, "fallback"))])


def _describe_blocks(container: Any) -> Iterator[str]:
    """Yield the texts of the `blocks` of Slack, and of their `fields` and `elements`; deeper ones are ignored."""
    for block in _get_items(container, "blocks"):
        items = [block.get("text"), *_get_items(block, "fields"), *_get_items(block, "elements")]
        for item in items:
            text = item if isinstance(item, str) else _get_text(item, "text")
            if text:
                yield _from_slack(text)


def _describe_embeds(payload: Any) -> Iterator[str]:
    """Yield title or URL, description and fields of the `embeds` of Discord, empty if missing."""
    for embed in _get_items(payload, "embeds"):
        title, url = _get_text(embed, "title"), _get_text(embed, "url")
        yield f"{title} ({url})" if title and url else title or url
        yield _get_text(embed, "description")
        for field in _get_items(embed, "fields"):
            yield _join_field(field, "name", "value")


def _describe_alerts(payload: Any) -> Iterator[str]:
    """Yield a line per alert of Alertmanager: `[FIRING] DiskFull: 95 % of /var in use`.

    The status is that of the payload by default, the name `alert`; a missing status or summary is omitted.
    """
    for alert in _get_items(payload, "alerts"):
        labels, annotations = alert.get("labels"), alert.get("annotations")
        name = _get_text(labels, "alertname") or "alert"
        summary = _get_text(annotations, "summary") or _get_text(annotations, "description")
        status = _get_text(alert, "status") or _get_text(payload, "status")
        label = f"[{status.upper()}] {name}" if status else name
        yield f"{label}: {summary}" if summary else label


def _join_field(field: Any, name: str, value: str) -> str:
    """Return two texts of an object as `name: value`; only one of them without the other."""
    return ": ".join(filter(None, (_get_text(field, name), _get_text(field, value))))


def _get_text(container: Any, name: str) -> str:
    """Return a text field of an object without surrounding space; empty for no object, no field and no text."""
    value = _get_field(container, name)
    return value.strip() if isinstance(value, str) else ""


def _get_items(container: Any, name: str) -> list[dict[str, Any]]:
    """Return the objects of a list field; other items are omitted. Empty for no object, no field and no list."""
    value = _get_field(container, name)
    items = cast(list[Any], value) if isinstance(value, list) else []
    return [cast(dict[str, Any], item) for item in items if isinstance(item, dict)]


def _get_field(container: Any, name: str) -> Any:
    """Return a field of an object; None for a missing field and for other types of `container`."""
    return cast(dict[str, Any], container).get(name) if isinstance(container, dict) else None


def _from_slack(text: str) -> str:
    """Return Slack markup as plain text: `<https://a.example|tea> &amp; more` → `tea (https://a.example) & more`."""
    return _ENTITY.sub(lambda match: _ENTITIES[match[0]], _SLACK_LINK.sub(_replace_link, text))


def _replace_link(match: re.Match[str]) -> str:
    """Return a link as `text (URL)`, or as the URL if it has no other text; a mention as `@name` or `#name`.

    A command such as `<!here|text>` becomes its text, or else `@here`. Any other text in brackets is unchanged.
    """
    target, label = match[1], match[2]
    if target.startswith("!"):
        return label or f"@{target[1:]}"
    if target.startswith(("@", "#")):
        return f"{target[0]}{(label or target).lstrip('@#')}"
    if not re.match("[a-z]+:", target):
        return match[0]
    return target if label in (None, "", target) else f"{label} ({target})"


def _truncate(text: str) -> str:
    """Return a text within the limit of messages; a longer one is truncated and ends with its original length."""
    if len(text) <= MESSAGE_CHARACTERS:
        return text
    note = f"… [{len(text):,} characters in total]"
    return f"{text[: MESSAGE_CHARACTERS - len(note) - 1]}\n{note}"
