"""Members of live rooms with connections to other nodes of a cluster."""

from collections.abc import Hashable
from typing import TypeVar

from msgspec.structs import replace

from server.domain.live_room import JoinResult, LeaveResult, LiveRoom, Participant
from server.domain.room_registry import RoomRegistry
from tui_chat.protocol import events, names

ConnectionT = TypeVar("ConnectionT", bound=Hashable)


def apply_member(
    registry: RoomRegistry[ConnectionT], room: LiveRoom[ConnectionT], member: events.Member, node_id: str | None
) -> JoinResult[ConnectionT]:
    """Apply the state of a member that another node has assigned, and add an absent member; nothing is sent.

    Another participant with the nickname loses it (`LiveRoom.assign_nick`).

    Args:
        registry: Registry of the room.
        room: Live room.
        member: Member with the assigned nickname.
        node_id: Node with connections of the member, None to keep the nodes of a present member.

    Returns:
        Result of the change; `client_changed` is also True for a changed status or `confusable`. A changed role alone
        is not reported.
    """
    participant = room.participants.get(member.member_id)
    is_new = participant is None
    if participant is None:
        participant = registry.add_participant(room, Participant[ConnectionT](member, ""))
    if node_id is not None:
        participant.nodes.add(node_id)
    old = participant.member
    room.set_role(participant, member.role)
    participant.member = replace(member, nick_name=old.nick_name, confusable=old.confusable)
    room.assign_nick(participant, member.nick_name, names.canonical_key(member.nick_name))
    new = participant.member
    return JoinResult(
        room,
        participant,
        is_new,
        old_nick=old.nick_name if old.nick_name != new.nick_name else None,
        client_changed=(old.via, old.away, old.confusable) != (new.via, new.away, new.confusable),
    )


def remove_node(
    registry: RoomRegistry[ConnectionT],
    room: LiveRoom[ConnectionT],
    participant: Participant[ConnectionT],
    node_id: str,
) -> LeaveResult[ConnectionT]:
    """Remove another node from a participant, and the participant without connections to any node from its room.

    Nothing is sent.
    """
    participant.nodes.discard(node_id)
    return LeaveResult(room, participant, registry.remove_absent(room, participant))
