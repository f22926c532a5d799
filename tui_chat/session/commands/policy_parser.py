"""Parser of policy fields as typed in `/policy` (docs/moderation.md)."""

import re
from collections.abc import Sequence
from typing import get_args

from msgspec import convert

from tui_chat.protocol.policies import Audience, ManagerRole, PolicyFields, Retention
from tui_chat.session.commands.registry import CommandRejected
from tui_chat.session.i18n import tr

FIELDS: dict[str, Sequence[str]] = {
    "visibility": ("public", "unlisted"),
    "speak": get_args(Audience),
    "guestPost": ("true", "false"),
    "react": get_args(Audience),
    "upload": get_args(Audience),
    "topic": get_args(ManagerRole),
    "invite": get_args(ManagerRole),
    "keep": ("30d", "1000", "all"),
}
"""Typed values by wire name of a field; those of `keep` are examples (`_parse_retention`)."""

_RETENTION = re.compile(r"(\d{1,8})(d?)")


def find_field(typed_name: str) -> str | None:
    """Return the wire name of a field in any case, None for an unknown field."""
    return next((name for name in FIELDS if name.casefold() == typed_name.casefold()), None)


def parse_field(typed_name: str, value: str) -> PolicyFields:
    """Return the change of one field. Field and value (`FIELDS`) are typed in any case, without surrounding spaces.

    Raises:
        CommandRejected: The field is unknown, or the value is invalid; the text lists the possibilities.
    """
    name = find_field(typed_name)
    if name is None:
        expected = ", ".join(FIELDS)
        raise CommandRejected(tr("No such field: {name}. Fields: {expected}.", name=typed_name[:32], expected=expected))
    value = value.casefold()
    if name == "keep":
        return PolicyFields(keep=_parse_retention(value))
    if value not in FIELDS[name]:
        raise _invalid_value(name)
    return convert({name: value == "true" if name == "guestPost" else value}, PolicyFields)


def _parse_retention(value: str) -> Retention:
    """Return the retention for 1 to 10,000,000 messages, 1 to 36,500 days (`30d`), or `all` (`everything`).

    Raises:
        CommandRejected: Any other value.
    """
    matched = _RETENTION.fullmatch(value)
    if value in ("all", "everything"):
        return Retention()
    count = int(matched[1]) if matched is not None else 0
    is_days = matched is not None and bool(matched[2])
    if not 1 <= count <= (36_500 if is_days else 10_000_000):
        raise _invalid_value("keep")
    return Retention(days=count) if is_days else Retention(messages=count)


def _invalid_value(name: str) -> CommandRejected:
    return CommandRejected(tr("{name}: expected {expected}.", name=name, expected=", ".join(FIELDS[name])))
