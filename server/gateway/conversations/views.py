"""JSON values of the conversation dialect (docs/dialects.md, "conversation").

- Users: accounts with their ids. Ids of guests are derived from their member ids, and are at least `GENERATED_IDS`.
- Files: ids are derived from the paths. A generated image replaces a missing avatar or cover; its id is at least
  `GENERATED_IDS`.
- Times: ISO 8601 in UTC with milliseconds.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import unquote

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from server.domain.account_directory import Account, AccountDirectory
from server.domain.uploads import append_file_lines
from server.storage.group_messages import MessageRecord
from server.storage.group_repository import ConversationRecord, GroupMember, GroupRecord
from tui_chat.protocol.events import Attachment
from tui_chat.protocol.limits import SEQ_MAX

GENERATED_IDS = 2**52
"""Lower bound of ids that belong to no row; ids of rows do not reach this value."""

FileType = Literal["avatar", "cover", "image", "video"]

GENERATED_IMAGE_PATH = "/api/conversation/image/"
"""Path of generated images, followed by the type and the id of the user or group."""

TEXT, IMAGE, VIDEO = 0, 1, 2
"""Values of `GroupMessage.type`."""

_MESSAGE_TYPES = {"image": IMAGE, "video": VIDEO}


class File(Struct, frozen=True, kw_only=True):
    """Stored or generated file; `url` is a path on this server that needs no header."""

    id: int
    name: str
    type: FileType
    url: str


class User(Struct, frozen=True, kw_only=True, rename="camel"):
    """Account or guest; `email` is present for the account itself only."""

    id: int
    username: str
    nickname: str
    avatar_id: int
    avatar: File
    create_at: str
    update_at: str
    email: str | UnsetType = UNSET


class Group(Struct, frozen=True, kw_only=True, rename="camel"):
    """Private room; `users` and `invite_code` are present in responses about one group only."""

    id: int
    name: str
    cover_id: int
    cover: File
    create_by_id: int
    create_at: str
    update_at: str
    description: str | UnsetType = UNSET
    users: list[User] | UnsetType = UNSET
    invite_code: str | UnsetType = UNSET


class GroupMessage(Struct, frozen=True, kw_only=True, rename="camel"):
    """Message of a group."""

    id: int
    type: int
    content: str
    group_id: int
    user_id: int
    user: User
    create_at: str
    update_at: str
    file_id: int | UnsetType = UNSET
    file: File | UnsetType = UNSET
    cover_id: int | UnsetType = UNSET
    cover: File | UnsetType = UNSET


class Conversation(Struct, frozen=True, kw_only=True, rename="camel"):
    """Group of one user with its read marker."""

    id: int
    user_id: int
    group_id: int
    group: Group
    last_msg_id: int
    unread_num: int
    recent_msg: GroupMessage | UnsetType = UNSET


class ViewBuilder:
    """Converter of stored values to JSON values.

    Args:
        accounts: Directory of all accounts.
        sign_path: Returns the signed URL of a stored file, valid for at least an hour (`SignedUrls`).
    """

    def __init__(self, accounts: AccountDirectory, sign_path: Callable[[str], str]) -> None:
        self._accounts = accounts
        self._sign_path = sign_path

    def build_file(self, file_type: FileType, path: str) -> File:
        """Return a stored file with its signed URL."""
        name = unquote(path.rpartition("/")[2])
        return File(id=derive_file_id(path), name=name, type=file_type, url=self._sign_path(path))

    def build_user(self, account: Account) -> User:
        """Return an account without its email."""
        avatar = self._build_image("avatar", account.avatar_path, account.id)
        return User(
            id=account.id,
            username=account.name,
            nickname=account.nick_name,
            avatar_id=avatar.id,
            avatar=avatar,
            create_at=format_time(account.created_at),
            update_at=format_time(account.updated_at),
        )

    def build_own_user(self, account: Account, email: str) -> User:
        """Return an account with its email."""
        return replace(self.build_user(account), email=email)

    def build_member(self, member_id: str, nick_name: str, since: int) -> User:
        """Return the account with a member id, even a deleted one, with its current names; otherwise a guest.

        Args:
            member_id: Member id of an account or a guest.
            nick_name: Nickname of the guest.
            since: Time of the message or of the join of the guest, in milliseconds since the epoch.
        """
        account = self._accounts.find_member(member_id)
        if account is not None:
            return self.build_user(account)
        guest_id = derive_generated_id(member_id)
        avatar = self._build_image("avatar", None, guest_id)
        return User(
            id=guest_id,
            username=nick_name,
            nickname=nick_name,
            avatar_id=avatar.id,
            avatar=avatar,
            create_at=format_time(since),
            update_at=format_time(since),
        )

    def build_group(
        self, group: GroupRecord, members: list[GroupMember] | None = None, invite_code: str | None = None
    ) -> Group:
        """Return a group, with its members and the invite code if given."""
        cover = self._build_image("cover", group.cover_path, group.id)
        return Group(
            id=group.id,
            name=group.title,
            cover_id=cover.id,
            cover=cover,
            create_by_id=self._find_user_id(group.owner_id),
            create_at=format_time(group.created_at),
            update_at=format_time(group.updated_at),
            description=group.topic or UNSET,
            users=UNSET
            if members is None
            else [
                self.build_member(member.ref.member_id, member.ref.nick_name, member.joined_at) for member in members
            ],
            invite_code=UNSET if invite_code is None else invite_code,
        )

    def build_message(self, message: MessageRecord) -> GroupMessage:
        """Return a message with its author.

        A message of one image or one video without a text has the type of its file. The text of any other message is
        followed by one line per file with name and URL.
        """
        user = self.build_member(message.member_id, message.nick_name, message.created_at)
        attachments = message.attachments or []
        message_type = TEXT
        if len(attachments) == 1 and not message.text:
            message_type = _MESSAGE_TYPES.get(attachments[0].type.partition("/")[0], TEXT)
        view = GroupMessage(
            id=message.id,
            type=message_type,
            content=append_file_lines(message.text, attachments if message_type == TEXT else [], self._sign_path),
            group_id=message.group_id,
            user_id=user.id,
            user=user,
            create_at=format_time(message.created_at),
            update_at=format_time(message.updated_at),
        )
        return view if message_type == TEXT else self._add_file(view, attachments[0])

    def build_conversation(self, conversation: ConversationRecord, user_id: int) -> Conversation:
        """Return a conversation; `user_id` is the id of its account."""
        return Conversation(
            id=conversation.id,
            user_id=user_id,
            group_id=conversation.group.id,
            group=self.build_group(conversation.group),
            last_msg_id=conversation.last_read_id,
            unread_num=conversation.unread,
            recent_msg=UNSET if conversation.recent is None else self.build_message(conversation.recent),
        )

    def _add_file(self, view: GroupMessage, attachment: Attachment) -> GroupMessage:
        """Return a message with its image, or with its video and the title image, generated if absent."""
        file = self.build_file("image" if view.type == IMAGE else "video", attachment.path)
        if view.type == IMAGE:
            return replace(view, file_id=file.id, file=file)
        cover = self._build_image("cover", attachment.poster, view.group_id)
        return replace(view, file_id=file.id, file=file, cover_id=cover.id, cover=cover)

    def _find_user_id(self, member_id: str) -> int:
        """Return the id of the account with a member id, otherwise that of a guest."""
        account = self._accounts.find_member(member_id)
        return derive_generated_id(member_id) if account is None else account.id

    def _build_image(self, file_type: Literal["avatar", "cover"], path: str | None, owner_id: int) -> File:
        """Return a stored image, or without a path the generated one of a user or group."""
        if path is not None:
            return self.build_file(file_type, path)
        url = f"{GENERATED_IMAGE_PATH}{file_type}/{owner_id}.svg"
        return File(id=derive_generated_id(url), name=f"{file_type}.svg", type=file_type, url=url)


def derive_generated_id(text: str) -> int:
    """Return the id of a guest by member id, or of a generated image by path; at least `GENERATED_IDS`."""
    return GENERATED_IDS + _hash(text) % (SEQ_MAX - GENERATED_IDS)


def derive_file_id(path: str) -> int:
    """Return the id of a stored file; below `GENERATED_IDS`."""
    return 1 + _hash(path) % (GENERATED_IDS - 1)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def format_time(milliseconds: int) -> str:
    """Return a time since the epoch in the form `2026-01-31T12:00:00.000Z`."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
