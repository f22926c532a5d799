"""Checks of the group repository, for each kind of database."""

from uuid import uuid4

import pytest

from server.domain.log_commands import AppendCreation, AppendMemberChange, AppendPolicyChange, RoomRef
from server.domain.room_addresses import generate_room_address
from server.storage.database import Database
from tests.support.storage import build_deletion, build_edit, build_message, build_topic, build_upload
from tui_chat.protocol.errors import NotFound
from tui_chat.protocol.events import Member, MemberRef
from tui_chat.protocol.policies import PolicyFields


def _build_member(name: str) -> Member:
    return Member(member_id=uuid4().hex, nick_name=name, account=name, role="member")


async def _create_group(database: Database, owner: Member, title: str) -> RoomRef:
    address = generate_room_address()
    room = RoomRef(key=address, name=address)
    policy = PolicyFields(visibility="private")
    await database.journal.append(AppendCreation(room=room, author=owner, policy=policy, title=title, topic="leaves"))
    return room


async def _join(database: Database, room: RoomRef, member: Member, code: str) -> bool:
    """Join with a reusable code, and return whether the membership is new."""
    target = MemberRef(member.member_id, member.nick_name, member.account)
    command = AppendMemberChange(room=room, author=member, action="joined", target=target, reusable_code=code)
    return not (await database.journal.append(command)).duplicate


async def _add_cover(database: Database, owner: Member) -> str:
    upload = build_upload(author=owner, name="tea pot.png", media_type="image/png", pinned=True)
    await database.uploads.create(upload, owner.member_id)
    return upload.id


async def verify_groups(database: Database) -> None:
    """Check codes, covers, conversations and messages of groups."""
    ann, ben = _build_member("ann"), _build_member("ben")
    room, other = await _create_group(database, ann, "Tea"), await _create_group(database, ann, "Coffee")
    group = await database.groups.find_by_name(room.name, ann.member_id)
    assert group is not None
    assert (group.title, group.topic, group.role, group.owner_id) == ("Tea", "leaves", "owner", ann.member_id)
    assert await database.groups.find(group.id, ben.member_id) is None
    assert await database.groups.find_name_by_code("\0") is None
    assert await database.accounts.find_by_email("\0@example.com") is None
    assert await database.accounts.find("\0") is None

    assert [await database.groups.ensure_code(group.id, code) for code in ("first", "second")] == ["first", "first"]
    await database.groups.replace_code(group.id, "third")
    assert [await database.groups.find_name_by_code(code) for code in ("first", "third")] == [None, room.name]
    for wrong in ((room, "first"), (other, "third")):
        with pytest.raises(NotFound):
            await _join(database, wrong[0], ben, wrong[1])
    assert [await _join(database, room, ben, "third") for _ in range(2)] == [True, False]
    members = await database.groups.list_members(group.id)
    assert {member.ref.nick_name for member in members} == {"ann", "ben"}

    cover = await _add_cover(database, ann)
    replaced = await _add_cover(database, ann)
    for upload_id in (replaced, cover, cover):
        await database.groups.replace_pending_cover(ann.member_id, upload_id)
    found = await database.uploads.find([replaced, cover])
    assert [found[upload_id].upload.is_pinned for upload_id in (replaced, cover)] == [False, True]
    path = f"/api/uploads/{cover}/tea%20pot.png"
    assert await database.groups.list_covers(ann.member_id) == {cover: path}
    await database.groups.set_cover(group.id, cover)
    assert await database.groups.list_covers(ann.member_id) == {cover: path}
    assert await database.groups.list_covers(ben.member_id) == {}
    unused = await _add_cover(database, ann)
    await database.groups.replace_pending_cover(ann.member_id, unused)

    texts = [await database.journal.append(build_message(f"text {n}", author=ann, room=room)) for n in range(5)]
    await database.journal.append(build_topic("leaves and water", author=ann, room=room))
    first, deleted, edited = (texts[n].entry for n in (0, 3, 4))
    await database.journal.append(build_deletion(deleted.seq, author=ann, room=room))
    await database.journal.append(build_edit(edited.seq, "new text", author=ann, room=room))
    newest = await database.groups.list_messages(group.id, None, 2)
    assert [message.text for message in newest] == ["new text", "text 2"]
    older = await database.groups.list_messages(group.id, newest[-1].id, 10)
    assert [message.text for message in older] == ["text 1", "text 0"]

    (conversation,) = await database.groups.list_conversations(ben.member_id)
    assert (conversation.unread, conversation.recent) == (5, newest[0])
    assert conversation.group.cover_path == path
    assert 0 < conversation.last_read_id < first.id
    own = await database.groups.list_conversations(ann.member_id)
    assert {record.group.title: record.unread for record in own} == {"Tea": 0, "Coffee": 0}
    assert len({conversation.id, *(record.id for record in own)}) == 3
    await database.read_markers.move(room.key, ben.member_id, first.seq, may_decrease=False)
    moved = await database.groups.find_conversation(conversation.id, ben.member_id)
    assert moved is not None
    assert (moved.unread, moved.last_read_id) == (4, first.id)
    assert await database.groups.find_conversation(conversation.id, ann.member_id) is None

    change = await database.journal.append(AppendPolicyChange(room=room, author=ann, title="Green tea"))
    assert {record.title for record in await database.groups.list_groups(ann.member_id)} == {"Green tea", "Coffee"}
    await database.rooms.delete_with_log(room.key, change.entry.seq)
    assert await database.groups.list_conversations(ben.member_id) == []
    assert await database.groups.find_name_by_code("third") is None
    assert not (await database.uploads.find([cover]))[cover].upload.is_pinned
    assert await database.groups.list_covers(ann.member_id) == {unused: f"/api/uploads/{unused}/tea%20pot.png"}
    await database.erasures.delete_references(ann.member_id, "deleted-1")
    assert await database.groups.list_covers(ann.member_id) == {}
    assert not (await database.uploads.find([unused]))[unused].upload.is_pinned
