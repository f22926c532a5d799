"""Memberships, sanctions, policies and invites: durable effects of commands, and reads of the access."""

import asyncio
import hashlib
from typing import Any

import pytest
from msgspec import structs

from server.domain.log_commands import (
    AppendCreation,
    AppendMemberChange,
    AppendPolicyChange,
    RoomRef,
    StaleAccess,
)
from server.domain.permissions import Policy, Role, Standing
from server.domain.room_access import AccessState, Requester, RoomAccess
from server.storage.database import Database
from tests.support.storage import ANN, BEN, LOUNGE, ManualClock, build_message, recorded_statements
from tui_chat.protocol.errors import Conflict, Forbidden, NotFound
from tui_chat.protocol.events import Entry, MemberChange, MemberRef, PolicyChange
from tui_chat.protocol.policies import PolicyFields, Retention

VAULT = RoomRef(key="~aaaabbbbccccdddd", name="~aaaabbbbccccdddd")
ANN_REF = MemberRef(member_id="ann", nick_name="Ann")
BEN_REF = MemberRef(member_id="ben", nick_name="Ben", account="ben")
PRIVATE = PolicyFields(visibility="private")


async def create(
    database: Database, room: RoomRef = VAULT, policy: PolicyFields = PRIVATE, title: str = "Vault"
) -> Entry:
    command = AppendCreation(room=room, author=BEN, policy=policy, title=title)
    return (await database.journal.append(command)).entry


async def change(
    database: Database, action: Any, room: RoomRef = VAULT, target: MemberRef = ANN_REF, **fields: Any
) -> Entry:
    command = AppendMemberChange(room=room, author=BEN, action=action, target=target, **fields)
    return (await database.journal.append(command)).entry


async def create_invite(
    database: Database, digest: bytes, *, until: int, room: RoomRef = VAULT, uses: int = 1, policy_seq: int = 1
) -> None:
    """Create an invite, and check its entry."""
    fields: dict[str, Any] = {"invite_digest": digest, "invite_uses": uses, "policy_seq": policy_seq}
    entry = await change(database, "inviteCreated", room, BEN_REF, until=until, **fields)
    assert isinstance(entry, MemberChange)
    assert (entry.by, entry.until) == (BEN_REF, until)


async def revoke_invite(database: Database, room: RoomRef, invite_id: int) -> bool:
    """Revoke an invite, and return whether an entry was written."""
    command = AppendMemberChange(room=room, author=BEN, action="inviteRevoked", target=BEN_REF, invite_id=invite_id)
    return not (await database.journal.append(command)).duplicate


async def read_standing(database: Database, member_id: str = "ann", room: RoomRef = VAULT, **fields: Any) -> Standing:
    state = await database.reader.read_access(room.key, Requester(member_id=member_id, **fields))
    return state.standing


async def test_a_creation_makes_the_author_owner_with_one_entry(database: Database) -> None:
    created = await create(database, LOUNGE, PolicyFields(speak="members", topic_role="owner", keep=Retention(days=3)))
    assert created == MemberChange(
        room="Lounge",
        seq=1,
        id=created.id,
        ts=created.ts,
        member_id="ben",
        nick_name="Ben",
        action="joined",
        target=BEN_REF,
        by=BEN_REF,
        role="owner",
    )
    assert await database.reader.read_access(LOUNGE.key, Requester(member_id="ben", has_account=True)) == AccessState(
        RoomAccess(
            policy=Policy(speak="members", topic="owner", keep_days=3, owned=True), policy_seq=1, is_stored=True
        ),
        Standing(role=Role.OWNER, is_member=True),
        "owner",
    )
    page = await database.reader.read_page(LOUNGE.key, after=0, limit=1)
    assert page.messages == [created]


async def test_an_existing_room_cannot_be_created(database: Database) -> None:
    outcomes = await asyncio.gather(
        database.journal.append(build_message()), create(database, LOUNGE), return_exceptions=True
    )
    assert isinstance(outcomes[1], Conflict)
    with pytest.raises(Conflict):
        await create(database, LOUNGE)
    state = await database.reader.read_access(LOUNGE.key, Requester(member_id="ben"))
    assert state.access == RoomAccess(is_stored=True)
    assert state.membership_role is None


async def test_a_rejected_command_leaves_no_room_behind(database: Database) -> None:
    first, second = (
        AppendCreation(
            room=RoomRef(key=address, name=address),
            author=BEN,
            policy=PolicyFields(visibility="direct"),
            direct_key="ann ben",
            members=(ANN_REF,),
        )
        for address in ("~aaaaaaaaaaaaaaaa", "~bbbbbbbbbbbbbbbb")
    )
    outcomes = await asyncio.gather(
        database.journal.append(first),
        database.journal.append(second),
        change(database, "joined", LOUNGE, invite_digest=b"unknown"),
        change(database, "joined", LOUNGE, reusable_code="unknown"),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes[1:]] == [Conflict, NotFound, NotFound]
    with pytest.raises(Conflict):
        await database.journal.append(second)
    assert await database.reader.list_rooms(None, 10) == []
    assert await database.direct_rooms.find("ann ben") == first.room.name


async def test_no_command_but_a_creation_creates_a_room_with_an_address(database: Database) -> None:
    with pytest.raises(NotFound):
        await database.journal.append(build_message(room=VAULT))
    with pytest.raises(NotFound):
        await change(database, "joined")
    assert not (await database.reader.read_access(VAULT.key, Requester(member_id="ann"))).access.is_stored


async def test_a_private_room_admits_members_with_an_invite_only(database: Database, clock: ManualClock) -> None:
    await create(database)
    digest = hashlib.sha256(b"code").digest()
    with pytest.raises(NotFound):
        await change(database, "joined")
    await create_invite(database, digest, until=clock.now + 60_000)
    with pytest.raises(NotFound):
        await change(database, "joined", invite_digest=hashlib.sha256(b"other").digest())
    clock.now += 59_999
    await change(database, "joined", invite_digest=digest)
    assert await read_standing(database) == Standing(role=Role.MEMBER, is_member=True)
    repeated = await database.journal.append(
        AppendMemberChange(room=VAULT, author=ANN, action="joined", target=ANN_REF, invite_digest=digest)
    )
    assert repeated.duplicate
    with pytest.raises(NotFound):
        await change(database, "joined", target=MemberRef(member_id="eve", nick_name="Eve"), invite_digest=digest)


@pytest.mark.parametrize("end", ["expired", "revoked", "of another room"])
async def test_an_unusable_invite_does_not_admit(database: Database, clock: ManualClock, end: str) -> None:
    await create(database)
    digest = hashlib.sha256(b"code").digest()
    if end == "of another room":
        await create(database, LOUNGE)
    room = LOUNGE if end == "of another room" else VAULT
    await create_invite(database, digest, until=clock.now + 60_000, room=room, uses=9)
    (invite,) = await database.invites.list_valid(room.key)
    assert (invite.uses_left, invite.expires_at) == (9, clock.now + 60_000)
    assert await database.invites.find_valid(room.key, digest) == invite
    if end == "expired":
        clock.now += 60_000
        assert await database.invites.list_valid(room.key) == []
    elif end == "revoked":
        await create(database, LOUNGE)
        assert [await revoke_invite(database, room, invite.id) for room in (LOUNGE, VAULT, VAULT)] == [
            False,
            True,
            False,
        ]
    with pytest.raises(NotFound):
        await change(database, "joined", invite_digest=digest)
    assert not (await read_standing(database)).is_member


async def test_an_invite_requires_the_policy_seq_of_its_check(database: Database) -> None:
    await create(database)
    with pytest.raises(StaleAccess):
        await create_invite(database, b"", until=2**40, policy_seq=0)


async def test_a_ban_ends_the_membership_and_prevents_another_one(database: Database, clock: ManualClock) -> None:
    await database.journal.append(build_message())
    await change(database, "joined", LOUNGE)
    ban = await change(database, "banned", LOUNGE, until=clock.now + 1000, reason="spam", address_hash=b"hash")
    assert await read_standing(database, room=LOUNGE) == Standing(banned=True, until=clock.now + 1000)
    assert (await read_standing(database, "new", LOUNGE, address_hash=b"hash")).banned
    assert not (await read_standing(database, "new", LOUNGE, address_hash=b"other")).banned
    with pytest.raises(Forbidden):
        await change(database, "joined", LOUNGE)
    with pytest.raises(StaleAccess):
        await database.journal.append(structs.replace(build_message(), policy_seq=0))
    await database.journal.append(structs.replace(build_message(), policy_seq=ban.seq))
    clock.now += 1000
    assert await read_standing(database, room=LOUNGE) == Standing()
    await change(database, "joined", LOUNGE)


async def test_the_end_of_a_sanction_is_an_entry_once(database: Database) -> None:
    await create(database)
    await change(database, "muted", reason="noise")
    assert (await read_standing(database)).muted
    assert (await change(database, "unmuted")).id
    assert not (await read_standing(database)).muted
    assert not (await change(database, "unmuted")).id
    assert not (await change(database, "unbanned")).id


async def test_the_last_owner_stays(database: Database) -> None:
    await create(database)
    with pytest.raises(Conflict):
        await change(database, "left", target=BEN_REF)
    with pytest.raises(Conflict):
        await change(database, "role", target=BEN_REF, role="member")
    assert (await read_standing(database, "ben")).role is Role.OWNER
    await change(database, "role", role="owner")
    left = await change(database, "left", target=BEN_REF)
    assert left.id
    assert not (await read_standing(database, "ben")).is_member
    assert not (await change(database, "left", target=BEN_REF)).id


async def test_a_policy_change_is_an_entry_with_the_changed_fields(database: Database) -> None:
    await create(database, LOUNGE, PolicyFields())
    command = AppendPolicyChange(
        room=LOUNGE, author=BEN, changes=PolicyFields(guest_post=False, keep=Retention(messages=10)), policy_seq=1
    )
    entry = (await database.journal.append(command)).entry
    assert entry == PolicyChange(
        room="Lounge",
        seq=2,
        id=entry.id,
        ts=entry.ts,
        member_id="ben",
        nick_name="Ben",
        guest_post=False,
        keep=Retention(messages=10),
    )
    assert (await database.reader.read_page(LOUNGE.key, after=1, limit=1)).messages == [entry]
    state = await database.reader.read_access(LOUNGE.key, Requester(member_id="ben"))
    assert state.access == RoomAccess(
        policy=Policy(guest_post=False, keep_messages=10, owned=True), policy_seq=2, is_stored=True
    )
    with pytest.raises(StaleAccess):
        await database.journal.append(command)


async def test_a_rename_keeps_the_log_and_rejects_names_in_use(database: Database) -> None:
    await create(database, LOUNGE, PolicyFields())
    garden = RoomRef(key="garden", name="Garden")
    renamed = await database.journal.append(AppendPolicyChange(room=LOUNGE, author=BEN, new_room=garden))
    assert renamed.entry.room == "Lounge"
    following = await database.journal.append(build_message(room=garden))
    assert (following.entry.room, following.entry.seq) == ("Garden", 3)
    await create(database, LOUNGE, PolicyFields())
    with pytest.raises(Conflict):
        await database.journal.append(AppendPolicyChange(room=LOUNGE, author=BEN, new_room=garden))


async def test_a_deleted_room_frees_its_name_for_a_room_with_another_log(database: Database) -> None:
    await create(database, LOUNGE, PolicyFields())
    await database.journal.append(build_message())
    with pytest.raises(StaleAccess):
        await database.rooms.delete_with_log(LOUNGE.key, 0)
    await database.rooms.delete_with_log(LOUNGE.key, 1)
    assert await read_standing(database, "ben", LOUNGE) == Standing()
    assert (await database.reader.search("hello", room_key=None, joined=(), before=None, limit=1)).messages == []
    with pytest.raises(StaleAccess):
        await database.journal.append(structs.replace(build_message(), policy_seq=1))
    recreated = await database.journal.append(build_message("again"))
    assert recreated.entry.seq == 1
    await database.retention.remove_expired()
    assert [room.last_seq for room in await database.reader.list_rooms(None, 10)] == [1]


async def test_an_invisible_room_takes_the_same_statements_as_an_unknown_address(database: Database) -> None:
    await create(database)
    await database.journal.append(build_message("secret", room=VAULT))
    stranger = Requester(member_id="eve")

    async def record_statements(key: str) -> list[str]:
        with recorded_statements() as statements:
            await database.reader.read_access(key, stranger)
            with pytest.raises(NotFound):
                await database.reader.search("secret", room_key=key, joined=(), searcher=stranger, before=None, limit=9)
        return statements

    unknown = await record_statements("~zzzzzzzzzzzzzzzz")
    assert await record_statements(VAULT.key) == unknown
    assert len(unknown) == 4


async def test_a_ban_hides_the_messages_of_a_room_from_the_searches_of_the_banned_only(database: Database) -> None:
    await database.journal.append(build_message("tea"))
    await change(database, "banned", LOUNGE)
    await change(database, "banned", LOUNGE, MemberRef(member_id="guest", nick_name="Guest"), address_hash=b"hash")

    async def count_hits(searcher: Requester) -> int:
        found = await database.reader.search("tea", room_key=None, joined=(), searcher=searcher, before=None, limit=9)
        return len(found.messages)

    assert await count_hits(Requester(member_id="ann")) == 0
    assert await count_hits(Requester(member_id="other", address_hash=b"hash")) == 0
    assert await count_hits(Requester(member_id="other", address_hash=b"other")) == 1
    assert await count_hits(Requester(member_id="other")) == 1
    assert await count_hits(Requester(member_id="")) == 1
