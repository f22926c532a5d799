"""Handlers of the commands of owned rooms: `/create`, `/invite` and `/policy` (docs/moderation.md)."""

import re
from collections.abc import Callable
from typing import Any, get_args
from urllib.parse import quote, urlsplit

from tui_chat.client import sanitize
from tui_chat.client.room import Room
from tui_chat.protocol import names
from tui_chat.protocol.policies import Audience, ManagerRole, Retention
from tui_chat.protocol.responses import Invite
from tui_chat.session.commands.background import require_room, run_in_background
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.i18n import tr
from tui_chat.session.session_events import RequestCompleted
from tui_chat.session.strings import moderation as moderation_strings

_CHOICES: dict[str, tuple[str, ...]] = {
    "visibility": ("public", "unlisted"),
    "speak": get_args(Audience),
    "guestPost": ("true", "false"),
    "react": get_args(Audience),
    "upload": get_args(Audience),
    "topic": get_args(ManagerRole),
    "invite": get_args(ManagerRole),
}
"""Values by wire name of a policy field; the retention `keep` has a syntax of its own."""

_ATTRIBUTES = {"guestPost": "guest_post", "topic": "topic_role", "invite": "invite_role"}
_RETENTION = re.compile(r"(\d{1,8})(d?)")
_PRIVATE_OPTION = "--private"


def _create(argument: str, context: CommandContext) -> None:
    """Create a room with the user as owner, and show the room."""
    first, _, rest = argument.partition(" ")
    is_private = first.casefold() == _PRIVATE_OPTION
    name = rest.strip() if is_private else argument
    name = names.validate_room_title(name) if is_private else names.validate_room_name(name)
    context.require_connection("create")

    async def create() -> str:
        owned_rooms = context.link.require_client().owned_rooms
        room = await (owned_rooms.create(title=name) if is_private else owned_rooms.create(name))
        context.link.event_queue.put(RequestCompleted(lambda: context.go_to_room(room.name)))
        return ""

    run_in_background(create(), context)


def _invite(argument: str, context: CommandContext) -> None:
    """Create an invite to the current room, show its link and copy the link."""
    room = require_room("invite", context)

    async def invite() -> str:
        created = await context.link.require_client().owned_rooms.create_invite(room.name)
        url = sanitize.line(created.url or _build_url(context.link.url, room, created))
        context.link.event_queue.put(RequestCompleted(lambda: context.copy_text(url)))
        return moderation_strings.invite_created(url, created)

    run_in_background(invite(), context)


def _build_url(server_url: str, room: Room, invite: Invite) -> str:
    server = urlsplit(server_url)
    scheme = "chats" if server.scheme == "https" else "chat"
    return f"{scheme}://{server.netloc}/{quote(room.name, safe='~')}?invite={invite.code}"


def _show_or_set_policy(argument: str, context: CommandContext) -> str | None:
    """Return the policy of the current room, or change one field of it."""
    room = require_room("policy", context)
    if not argument:
        return moderation_strings.policy_list(room.policy)
    typed_name, _, value = argument.partition(" ")
    change = _parse_field(typed_name, value.strip())

    async def set_policy() -> str:
        await context.link.require_client().owned_rooms.update(room.name, **change)
        return ""

    run_in_background(set_policy(), context)
    return None


def _parse_field(typed_name: str, value: str) -> dict[str, Any]:
    """Return the changed field of `PolicyFields` with its value.

    Raises:
        CommandRejected: The field is unknown, or the value invalid; the text lists the possibilities.
    """
    fields = {name.casefold(): name for name in (*_CHOICES, "keep")}
    name = fields.get(typed_name.casefold())
    if name is None:
        expected = ", ".join(fields.values())
        raise CommandRejected(tr("No such field: {name}. Fields: {expected}.", name=typed_name[:32], expected=expected))
    if name == "keep":
        return {"keep": _parse_retention(value.casefold())}
    if value.casefold() not in _CHOICES[name]:
        expected = ", ".join(_CHOICES[name])
        raise CommandRejected(tr("{name}: expected {expected}.", name=name, expected=expected))
    parsed: Any = value.casefold() == "true" if name == "guestPost" else value.casefold()
    return {_ATTRIBUTES.get(name, name): parsed}


def _parse_retention(value: str) -> Retention:
    matched = _RETENTION.fullmatch(value)
    if value in ("all", "everything"):
        return Retention()
    count = int(matched[1]) if matched is not None else 0
    is_days = matched is not None and bool(matched[2])
    if not 1 <= count <= (36_500 if is_days else 10_000_000):
        raise CommandRejected(tr("{name}: expected {expected}.", name="keep", expected="30d, 1000, all"))
    return Retention(days=count) if is_days else Retention(messages=count)


HANDLERS: dict[str, Callable[[str, CommandContext], str | None]] = {
    "create": _create,
    "invite": _invite,
    "policy": _show_or_set_policy,
}
"""Handlers by command name."""
