"""Handlers of the commands of owned rooms and memberships (docs/moderation.md)."""

from collections.abc import Callable
from urllib.parse import quote, urlsplit

from tui_chat.client.room import Room
from tui_chat.protocol import names
from tui_chat.protocol.errors import Conflict, Forbidden, NotFound
from tui_chat.protocol.limits import INVITE_DEFAULT_SECONDS, INVITE_DEFAULT_USES, INVITE_SECONDS, INVITE_USES
from tui_chat.protocol.responses import Invite
from tui_chat.session.commands import policy_parser
from tui_chat.session.commands.background import begin_switch, require_owner, require_room, run_in_background
from tui_chat.session.commands.command_context import CommandContext, CommandRejected
from tui_chat.session.duration_parser import parse_duration
from tui_chat.session.i18n import tr
from tui_chat.session.session_events import RequestCompleted
from tui_chat.session.strings import chat as chat_strings, moderation as moderation_strings

_PRIVATE_OPTION = "--private"


def _create(argument: str, context: CommandContext) -> None:
    """Create a room with the user as owner, and show the room; after `--private`, a private room with a title."""
    first, _, rest = argument.partition(" ")
    is_private = first.casefold() == _PRIVATE_OPTION
    name = rest.strip() if is_private else argument
    name = names.validate_room_title(name) if is_private else names.validate_room_name(name)
    context.require_connection("create")
    switch_to = begin_switch(context)

    async def create() -> str:
        owned_rooms = context.link.require_client().owned_rooms
        room = await (owned_rooms.create(title=name) if is_private else owned_rooms.create(name))
        switch_to(room.name)
        return ""

    run_in_background(create(), context)


def _invite(argument: str, context: CommandContext) -> None:
    """Create an invite to the current room, show its link with its limits, and copy the link."""
    uses, expires_in = _parse_invite_limits(argument)
    room = require_room("invite", context)

    async def invite() -> str:
        owned_rooms = context.link.require_client().owned_rooms
        created = await owned_rooms.create_invite(room.name, uses=uses, expires_in=expires_in)
        url = created.url or _build_url(context.link.url, room, created)
        context.link.event_queue.put(RequestCompleted(lambda: context.copy_text(url)))
        return moderation_strings.invite_created(url, created)

    run_in_background(invite(), context)


def _parse_invite_limits(argument: str) -> tuple[int, int]:
    """Return the number of people and the seconds of an invite; both are optional in the argument, in any order.

    Raises:
        CommandRejected: A word is neither, or out of its limits, or two words are of the same kind.
    """
    words = argument.split()
    counts = [int(word[:10]) for word in words if word.isdecimal()]  # `int` rejects thousands of digits
    durations = [parse_duration(word) or 0 for word in words if not word.isdecimal()]
    uses, *repeated_counts = counts or [INVITE_DEFAULT_USES]
    expires_in, *repeated_durations = durations or [INVITE_DEFAULT_SECONDS]
    is_in_limits = 1 <= uses <= INVITE_USES and 1 <= expires_in <= INVITE_SECONDS
    if repeated_counts or repeated_durations or not is_in_limits:
        raise CommandRejected(
            tr(
                "Use up to {people:,} people and {days:,} days, such as /invite 1 2h.",
                people=INVITE_USES,
                days=INVITE_SECONDS // 86_400,
            )
        )
    return uses, expires_in


def _build_url(server_url: str, room: Room, invite: Invite) -> str:
    """Return a `chat` or `chats` link with the invite, for a server that sends no link."""
    server = urlsplit(server_url)
    scheme = "chats" if server.scheme == "https" else "chat"
    return f"{scheme}://{server.netloc}/{quote(room.name, safe='~')}?invite={invite.code}"


def _show_or_set_policy(argument: str, context: CommandContext) -> str | None:
    """Return the policy of the current room, or request the change of one field and return None.

    Raises:
        CommandRejected: No open room, not connected, or an unknown field or invalid value.
    """
    room = require_room("policy", context)
    if not argument:
        return moderation_strings.policy_list(room.policy)
    typed_name, _, value = argument.partition(" ")
    change = policy_parser.parse_field(typed_name, value.strip())

    async def set_policy() -> str:
        await context.link.require_client().owned_rooms.update(room.name, policy=change)
        return ""

    run_in_background(set_policy(), context)
    return None


def _list_invites(_: str, context: CommandContext) -> None:
    """Show the valid invites to the current room."""
    room = require_room("invites", context)

    async def list_invites() -> str:
        return moderation_strings.invite_list(await context.link.require_client().owned_rooms.list_invites(room.name))

    run_in_background(list_invites(), context)


def _revoke_invite(invite_id: str, context: CommandContext) -> None:
    """Revoke an invite to the current room by its id, and show a confirmation."""
    room = require_room("uninvite", context)

    async def revoke() -> str:
        await context.link.require_client().owned_rooms.revoke_invite(room.name, invite_id)
        return tr("Invite {id} is revoked.", id=invite_id)

    run_in_background(revoke(), context)


def _replace_group_code(_: str, context: CommandContext) -> None:
    """Replace the group code of the current private room, show the code and copy it; rejected in any other room."""
    room = require_room("group-code", context)
    if not names.is_room_address(room.name) or room.is_direct:
        raise CommandRejected(tr("Only private rooms have a group code."))

    async def replace() -> str:
        code = await context.link.require_client().owned_rooms.replace_group_code(room.name)
        context.link.event_queue.put(RequestCompleted(lambda: context.copy_text(code)))
        return tr("New group code of {room}: {code} · Earlier codes are invalid.", room=room.title, code=code)

    run_in_background(replace(), context)


def _create_hook(name: str, context: CommandContext) -> None:
    """Create a webhook of the current room, show its address and copy the address; `ChatError` for an invalid name."""
    name = names.validate_nickname(name)
    room = require_room("hook", context)

    async def create() -> str:
        created = await context.link.require_client().owned_rooms.create_hook(room.name, name)
        url = created.url if "://" in created.url else context.link.url + created.url
        context.link.event_queue.put(RequestCompleted(lambda: context.copy_text(url)))
        return tr(
            "Webhook {nick} created: {url} · Programs with this address send messages. The address is not shown again.",
            nick=name,
            url=url,
        )

    run_in_background(create(), context)


def _list_hooks(_: str, context: CommandContext) -> None:
    """Show the webhooks of the current room."""
    room = require_room("hooks", context)

    async def list_hooks() -> str:
        return moderation_strings.hook_list(await context.link.require_client().owned_rooms.list_hooks(room.name))

    run_in_background(list_hooks(), context)


def _revoke_hook(name: str, context: CommandContext) -> None:
    """Revoke the first webhook of the current room with a name or id; without one, `NotFound` is shown as an error."""
    room = require_room("unhook", context)

    async def revoke() -> str:
        owned_rooms = context.link.require_client().owned_rooms
        key = names.canonical_key(name)
        for hook in await owned_rooms.list_hooks(room.name):
            if hook.id == name or names.canonical_key(hook.nick_name) == key:
                await owned_rooms.revoke_hook(room.name, hook.id)
                return ""  # the entry appears in the timeline
        raise NotFound("hook_not_found")

    run_in_background(revoke(), context)


def _rename(new_name: str, context: CommandContext) -> None:
    """Request a new name of the current room, or a new title of a private one.

    Raises:
        ChatError: The name or title is invalid.
        CommandRejected: No open room, or not connected.
    """
    room = require_room("rename", context)
    has_address = names.is_room_address(room.name)
    name = None if has_address else names.validate_room_name(new_name)
    title = names.validate_room_title(new_name) if has_address else None

    async def rename() -> str:
        await context.link.require_client().owned_rooms.update(room.name, name=name, title=title)
        return ""

    run_in_background(rename(), context)


def _delete_room(_: str, context: CommandContext) -> None:
    """Delete the current room after a question.

    Raises:
        CommandRejected: No open room, or not connected.
        Forbidden: The user is neither an owner nor an administrator.
    """
    room = require_room("delete-room", context)
    require_owner(room)

    async def delete() -> str:
        question = tr("Delete {room} with all messages, for everyone? This cannot be undone.", room=room.title)
        if await context.confirm(question, tr("delete the room")):
            await context.link.require_client().owned_rooms.delete(room.name)
        return ""

    run_in_background(delete(), context)


def _forget_room(name: str, context: CommandContext) -> None:
    """End the membership in an open room and leave the room; a private room after a question.

    Raises:
        CommandRejected: The room is not open, or the client is not connected.
        Forbidden: The room is direct.
    """
    view = context.room(name)
    context.require_connection("forget")
    room = context.link.find_room(view.name)
    if room is None:
        raise CommandRejected(chat_strings.not_in_room(view.name))
    if room.is_direct:
        raise Forbidden("not_in_direct_room")

    async def forget() -> str:
        question = tr("Leave {room} for good? You can return only with an invite.", room=room.title)
        if names.is_room_address(room.name) and not await context.confirm(question, tr("leave")):
            return ""
        try:
            await room.leave(forget=True)
        except Conflict as error:
            if error.reason == "last_owner":
                raise CommandRejected(tr(moderation_strings.LAST_OWNER)) from None
            raise
        context.link.event_queue.put(RequestCompleted(lambda: context.leave_room(view)))
        return ""

    run_in_background(forget(), context)


HANDLERS: dict[str, Callable[[str, CommandContext], str | None]] = {
    "create": _create,
    "invite": _invite,
    "invites": _list_invites,
    "uninvite": _revoke_invite,
    "group-code": _replace_group_code,
    "hook": _create_hook,
    "hooks": _list_hooks,
    "unhook": _revoke_hook,
    "policy": _show_or_set_policy,
    "rename": _rename,
    "delete-room": _delete_room,
    "forget": _forget_room,
}
"""Handlers by command name."""
