"""Policy of a room (docs/protocol.md, "Rooms and policies").

- Defaults: a field with its default value is omitted on the wire, so a room without a policy has all defaults.
- Ownerless rooms: everybody may set the topic, and only administrators of the server change the policy.
"""

from typing import Annotated, Literal

from msgspec import Meta, field, structs

from tui_chat.protocol.wire_struct import WireStruct

Visibility = Literal["public", "unlisted", "private", "direct"]
Audience = Literal["everyone", "members", "moderators"]
"""Persons who may act: all, durable members, or moderators and owners."""

ManagerRole = Literal["members", "moderators", "owner"]
"""Least role that may change the topic or invite."""


class Retention(WireStruct, frozen=True):
    """Limit of stored entries; None for both fields keeps all entries.

    Attributes:
        days: Maximum age of an entry in days.
        messages: Maximum number of messages.
    """

    days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    messages: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None


class RoomPolicy(WireStruct, frozen=True):
    """Effective policy of a room.

    Attributes:
        visibility: `public` (listed), `unlisted`, `private` (members and invited persons only) or `direct`.
        speak: Persons who may send messages.
        guest_post: Guests may send messages.
        react: Persons who may react.
        upload: Persons who may upload files.
        topic: Least role that may set the topic.
        invite: Least role that may create invites.
        keep: Retention of entries.
    """

    visibility: Visibility = "public"
    speak: Audience = "everyone"
    guest_post: bool = True
    react: Audience = "everyone"
    upload: Audience = "everyone"
    topic: ManagerRole = "members"
    invite: ManagerRole = "members"
    keep: Retention = Retention()


class PolicyFields(WireStruct, frozen=True, kw_only=True):
    """Values for the fields of a policy; None keeps the current value (in a new room, the default).

    The attributes are those of `RoomPolicy`; `keep` without a field removes the retention.
    """

    visibility: Visibility | None = None
    speak: Audience | None = None
    guest_post: bool | None = None
    react: Audience | None = None
    upload: Audience | None = None
    topic_role: ManagerRole | None = field(default=None, name="topic")
    invite_role: ManagerRole | None = field(default=None, name="invite")
    keep: Retention | None = None

    def apply_to(self, policy: RoomPolicy) -> RoomPolicy:
        """Return a copy of a policy with the values that are not None; fields of subclasses have no effect."""
        renamed_fields = {"topic_role": "topic", "invite_role": "invite"}
        values = structs.asdict(self)
        changed = {name: values[name] for name in PolicyFields.__struct_fields__ if values[name] is not None}
        return structs.replace(policy, **{renamed_fields.get(name, name): value for name, value in changed.items()})
