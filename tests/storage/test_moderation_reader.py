"""Reads for moderation: targets, authors, recent messages and the audit."""

from typing import Any

from server.domain.log_commands import AppendMemberChange
from server.domain.permissions import Role
from server.domain.room_access import Requester
from server.storage.database import Database
from tests.support.storage import (
    ANN,
    BEN,
    LOUNGE,
    ManualClock,
    build_deletion,
    build_message,
    build_reaction,
    build_topic,
)
from tui_chat.protocol.events import MemberRef

ANN_REF = MemberRef(member_id="ann", nick_name="Ann")


async def change(database: Database, action: Any, target: MemberRef = ANN_REF, **fields: Any) -> int:
    command = AppendMemberChange(room=LOUNGE, author=BEN, action=action, target=target, **fields)
    return (await database.journal.append(command)).entry.seq


async def find(database: Database, member_id: str = "ann") -> MemberRef | None:
    return (await database.moderation.find_target(LOUNGE.key, Requester(member_id=member_id))).member


async def test_a_target_is_found_as_member_sanctioned_person_or_author(database: Database) -> None:
    assert await find(database) is None
    await database.journal.append(build_message(author=BEN))
    assert await find(database) is None
    assert await find(database, "ben") == MemberRef(member_id="ben", nick_name="Ben", account="ben")
    for action in ("invited", "banned"):
        await change(database, action, MemberRef(member_id=action, nick_name=action.title(), account=action))
        assert await find(database, action) == MemberRef(member_id=action, nick_name=action.title(), account=action)


async def test_the_standing_of_a_target_has_its_policy_seq(database: Database) -> None:
    await change(database, "joined")
    seq = await change(database, "role", role="moderator")
    state = (await database.moderation.find_target(LOUNGE.key, Requester(member_id="ann"))).state
    assert (state.access.policy_seq, state.standing.role) == (seq, Role.MODERATOR)


async def test_an_author_is_that_of_a_message(database: Database) -> None:
    await database.journal.append(build_message(author=BEN))
    await database.journal.append(build_topic("news", author=ANN))
    assert await database.moderation.find_author(LOUNGE.key, 1) == MemberRef(
        member_id="ben", nick_name="Ben", account="ben"
    )
    for seq in (2, 3):
        assert await database.moderation.find_author(LOUNGE.key, seq) is None
    assert await database.moderation.find_author("void", 1) is None


async def test_recent_messages_are_those_of_the_member_since_a_time(database: Database, clock: ManualClock) -> None:
    for author in (ANN, BEN, ANN, ANN, ANN):
        clock.now += 1_000
        await database.journal.append(build_message(author=author))
    start = clock.now - 2_000
    await database.journal.append(build_deletion(4))

    async def list_seqs(since: int, after: int = 0, limit: int = 9) -> list[int]:
        return await database.moderation.list_messages(LOUNGE.key, "ann", since, after, limit)

    assert await list_seqs(0) == [1, 3, 5]
    assert await list_seqs(0, after=1, limit=1) == [3]
    assert await list_seqs(start) == [3, 5]
    assert await list_seqs(start + 1) == [5]
    assert await database.moderation.list_messages("void", "ann", 0, 0, 9) == []


async def test_the_audit_contains_moderation_only(database: Database) -> None:
    await database.journal.append(build_message())
    await database.journal.append(build_message())
    await database.journal.append(build_reaction(1))
    await change(database, "invited")
    await database.journal.append(build_deletion(1))
    by_moderator = (await database.journal.append(build_deletion(2, author=BEN, any_author=True))).entry.seq
    role = await change(database, "role", role="moderator")
    kick = await change(database, "kicked", reason='"action":"joined"')
    invite = await change(database, "inviteCreated", invite_digest=b"digest", invite_uses=1, until=2**40)

    async def read_seqs(before: int = 99, limit: int = 9) -> tuple[list[int], bool]:
        page = await database.moderation.read_audit(LOUNGE.key, before, limit)
        return [entry.seq for entry in page.messages], page.has_more

    assert await read_seqs() == ([by_moderator, role, kick, invite], False)
    assert await read_seqs(limit=2) == ([kick, invite], True)
    assert await read_seqs(before=role) == ([by_moderator], False)
    assert (await database.moderation.read_audit("void", 99, 9)).messages == []
