"""Public interface for bots and clients (docs/clients.md).

    from tui_chat.sdk import ChatClient

    async with ChatClient("http://localhost:3000") as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("hello")

- Stability: other modules of `tui_chat` may change without notice.
- Dependencies: `tui_chat.client` and `tui_chat.protocol` only.
"""

from tui_chat.client.accounts import AccountClient
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import (
    ConnectionLost,
    DeliveryUnknown,
    InvalidAddress,
    OutboxFull,
    Unreachable,
    UnsupportedByServer,
)
from tui_chat.client.event_queue import EventQueue
from tui_chat.client.events import (
    AuthFailed,
    BlockChanged,
    ClientEvent,
    Closed,
    Connecting,
    ConnectionState,
    ConnectionStateChanged,
    DirectRoomAnnounced,
    LogChanged,
    MembersChanged,
    NoticeReceived,
    Offline,
    Online,
    OutboxItemChanged,
    ProblemReported,
    ReadMarker,
    ReadMarkerChanged,
    RoomChanged,
    RoomJoined,
    RoomLost,
    RoomRenamed,
    TopicChanged,
    TypingChanged,
)
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.outbox_item import OutboxItem, OutboxItemState
from tui_chat.client.owned_rooms import OwnedRooms
from tui_chat.client.room import Room
from tui_chat.client.room_files import RoomFiles
from tui_chat.client.room_moderation import RoomModeration
from tui_chat.client.room_read_marker import RoomReadMarker
from tui_chat.client.search_page import SearchCursor, SearchPage, SearchSource
from tui_chat.client.storage.history_db import LocalHistory
from tui_chat.client.sync.room_log import RoomLog
from tui_chat.client.sync.seq_ranges import Gap
from tui_chat.client.user_requests import UserRequests
from tui_chat.protocol.account_responses import AccountProfile, Device, Login
from tui_chat.protocol.errors import (
    BadRequest,
    ChatError,
    Conflict,
    Forbidden,
    InternalError,
    NickInvalid,
    NotFound,
    NotJoined,
    RateLimited,
    RoomInvalid,
    TooLong,
    Unauthorized,
    Unavailable,
)
from tui_chat.protocol.events import (
    Attachment,
    Deletion,
    Edit,
    Entry,
    JoinNotice,
    LeaveNotice,
    Member,
    MemberChange,
    MemberRef,
    Message,
    NickNotice,
    PolicyChange,
    Reaction,
    TopicChange,
    UnknownEntry,
)
from tui_chat.protocol.policies import PolicyFields, Retention, RoomPolicy
from tui_chat.protocol.responses import (
    ChangeAccepted,
    HistoryPage,
    Hook,
    HookCreated,
    Invite,
    MentionList,
    OwnRoom,
    RoomSummary,
    SendResponse,
)

__all__ = [
    "AccountClient",
    "AccountProfile",
    "Attachment",
    "AuthFailed",
    "BadRequest",
    "BlockChanged",
    "ChangeAccepted",
    "ChatClient",
    "ChatError",
    "ClientEvent",
    "Closed",
    "Conflict",
    "Connecting",
    "ConnectionLost",
    "ConnectionState",
    "ConnectionStateChanged",
    "Deletion",
    "DeliveryUnknown",
    "Device",
    "DirectRoomAnnounced",
    "Edit",
    "Entry",
    "EventQueue",
    "Forbidden",
    "Gap",
    "HistoryPage",
    "Hook",
    "HookCreated",
    "InternalError",
    "InvalidAddress",
    "Invite",
    "JoinNotice",
    "LeaveNotice",
    "LocalHistory",
    "LogChanged",
    "Login",
    "Member",
    "MemberChange",
    "MemberRef",
    "MembersChanged",
    "MentionList",
    "Message",
    "NickInvalid",
    "NickNotice",
    "NotFound",
    "NotJoined",
    "NoticeReceived",
    "Offline",
    "Online",
    "Outbox",
    "OutboxFull",
    "OutboxItem",
    "OutboxItemChanged",
    "OutboxItemState",
    "OwnRoom",
    "OwnedRooms",
    "PolicyChange",
    "PolicyFields",
    "ProblemReported",
    "RateLimited",
    "Reaction",
    "ReadMarker",
    "ReadMarkerChanged",
    "Retention",
    "Room",
    "RoomChanged",
    "RoomFiles",
    "RoomInvalid",
    "RoomJoined",
    "RoomLog",
    "RoomLost",
    "RoomModeration",
    "RoomPolicy",
    "RoomReadMarker",
    "RoomRenamed",
    "RoomSummary",
    "SearchCursor",
    "SearchPage",
    "SearchSource",
    "SendResponse",
    "TooLong",
    "TopicChange",
    "TopicChanged",
    "TypingChanged",
    "Unauthorized",
    "Unavailable",
    "UnknownEntry",
    "Unreachable",
    "UnsupportedByServer",
    "UserRequests",
]
