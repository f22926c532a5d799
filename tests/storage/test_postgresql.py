"""Journal and queries on PostgreSQL, including concurrent nodes."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from msgspec import structs

from server.domain.account_directory import Account
from server.domain.log_commands import AppendCreation, AppendMemberChange, MentionTargets, StaleAccess
from server.domain.room_access import Requester
from server.domain.room_addresses import generate_room_address
from server.storage.account_records import HOUR_MS
from server.storage.batch_writer import AppendResult
from server.storage.database import Database, open_database
from server.storage.errors import StorageError
from server.storage.postgresql import AsyncExecutor, parse_postgresql_url
from tests.support.groups import verify_groups
from tests.support.postgresql import PostgreSQLServer, postgresql_server
from tests.support.reactions import reacting_members
from tests.support.storage import (
    ANN,
    BEN,
    ManualClock,
    RoomRef,
    build_deletion,
    build_edit,
    build_message,
    build_reaction,
    build_topic,
)
from tui_chat.protocol.errors import ChatError, Conflict, InternalError, NotFound, Unavailable
from tui_chat.protocol.events import MemberRef, Message
from tui_chat.protocol.limits import SEQ_MAX
from tui_chat.protocol.policies import PolicyFields
from tui_chat.protocol.responses import ReadState


@pytest.fixture
async def nodes(postgresql: PostgreSQLServer, clock: ManualClock) -> AsyncIterator[list[Database]]:
    nodes = await asyncio.gather(*(open_database(postgresql.url, clock=clock) for _ in range(3)))
    yield nodes
    for node in nodes:
        await node.close()


def fresh_room() -> RoomRef:
    key = uuid4().hex
    return RoomRef(key=key, name=key)


async def test_appended_commands_are_validated_and_visible_to_another_node(nodes: list[Database]) -> None:
    room = fresh_room()
    database, second_node, _ = nodes
    client_id = uuid4()
    commands = [
        build_message("one", room=room, client_id=client_id),
        build_message("two", room=room, author=BEN, reply_to=1),
        build_message("again", room=room, client_id=client_id),
        build_message("mine", room=room, author=BEN, client_id=client_id),
        build_message("lost", room=room, reply_to=77),
        build_message("no file", room=room, files=("\0",)),
        build_edit(1, "uno", room=room),
        build_reaction(1, "🎉", room=room, by=BEN),
        build_reaction(1, "👍", room=room),
        build_reaction(1, "👍", room=room, on=False),
        build_topic("news", room=room),
        build_edit(2, "dos", room=room, author=BEN),
        build_deletion(2, room=room, author=BEN),
        build_edit(2, "tres", room=room, author=BEN),
    ]
    outcomes = await asyncio.gather(*(database.journal.append(command) for command in commands), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if isinstance(outcome, ChatError)] == [
        Conflict,
        NotFound,
        NotFound,
        Conflict,
    ]
    accepted = [outcome for outcome in outcomes if isinstance(outcome, AppendResult)]
    assert [(result.entry.seq, result.duplicate) for result in accepted[:3]] == [(1, False), (2, False), (1, True)]
    snapshot = await second_node.reader.read_join_snapshot(room.key, since=None, limit=50)
    assert [entry.seq for entry in snapshot.entries] == list(range(1, 10))
    first, second = snapshot.entries[:2]
    assert isinstance(first, Message)
    assert (first.message, first.edited, reacting_members(first)) == ("uno", 3, {"🎉": ["ben"]})
    assert isinstance(second, Message)
    assert (second.message, second.deleted) == ("", True)
    assert snapshot.room is not None
    assert snapshot.room.topic == "news"
    assert room.name in [summary.name for summary in await second_node.reader.list_rooms(room.name.upper(), 10)]
    page = await second_node.reader.read_page(room.key, around=5, limit=3)
    assert ([entry.seq for entry in page.messages], page.has_more, page.last_seq) == ([4, 5, 6], True, 9)
    repeated = await second_node.journal.append(build_message("again", room=room, client_id=client_id))
    assert (repeated.duplicate, repeated.entry.seq) == (True, 1)


async def test_concurrent_writes_of_several_nodes_share_one_order(nodes: list[Database]) -> None:
    rooms = [fresh_room() for _ in range(4)]

    async def send(node: Database, room: RoomRef) -> list[int]:
        seqs: list[int] = []
        for _ in range(10):
            seqs.append((await node.journal.append(build_message(room=room))).entry.seq)
        return seqs

    senders = [send(node, room) for room in rooms for node in nodes for _ in range(3)]
    for seqs in await asyncio.gather(*senders):
        assert seqs == sorted(seqs)
    ids: list[int] = []
    for room in rooms:
        snapshot = await nodes[0].reader.read_join_snapshot(room.key, since=None, limit=200)
        assert [entry.seq for entry in snapshot.entries] == list(range(1, 91))
        in_room = [entry.id for entry in snapshot.entries]
        assert in_room == sorted(in_room)
        ids += in_room
    assert len(set(ids)) == 360


async def test_a_ban_on_one_node_rejects_a_message_that_another_node_has_checked(nodes: list[Database]) -> None:
    room = fresh_room()
    message = build_message(room=room)
    seq = (await nodes[0].journal.append(message)).entry.seq
    ann = MemberRef(member_id=ANN.member_id, nick_name=ANN.nick_name)
    checked = await nodes[1].reader.read_access(room.key, Requester(member_id=ANN.member_id))
    ban = AppendMemberChange(room=room, author=BEN, action="banned", target=ann, policy_seq=0, address_hash=b"address")
    entry = (await nodes[0].journal.append(ban)).entry
    with pytest.raises(StaleAccess):
        await nodes[1].journal.append(structs.replace(message, policy_seq=checked.access.policy_seq))
    for requester in (Requester(member_id=ANN.member_id), Requester(member_id="new", address_hash=b"address")):
        assert (await nodes[1].reader.read_access(room.key, requester)).standing.banned
    moderation = nodes[1].moderation
    assert (await moderation.find_target(room.key, Requester(member_id=ANN.member_id))).member == ann
    assert await moderation.find_author(room.key, seq) == ann
    assert await moderation.list_messages(room.key, ANN.member_id, since=0, after=0, limit=9) == [seq]
    assert (await moderation.read_audit(room.key, before=SEQ_MAX, limit=9)).messages == [entry]


async def test_read_markers_and_mentions_of_one_node_are_visible_on_another(nodes: list[Database]) -> None:
    room, member_id = fresh_room(), uuid4().hex
    ben = structs.replace(BEN, member_id=member_id)
    target = MemberRef(member_id=member_id, nick_name="Ben", account="ben")
    joined = await nodes[0].journal.append(AppendMemberChange(room=room, author=ben, action="joined", target=target))
    mention = MentionTargets(candidates=((member_id,),))
    entries = [
        (await nodes[0].journal.append(build_message(room=room, mentions=mentions))).entry
        for mentions in (mention, MentionTargets(all_members=True), MentionTargets())
    ]
    assert [own_room.read for own_room in await nodes[1].reader.list_memberships(member_id)] == [
        ReadState(joined.entry.seq, 3, 2)
    ]
    page = await nodes[1].read_markers.list_mentions(member_id, before=None, limit=1)
    assert ([message.seq for message in page.messages], page.next_before) == ([entries[1].seq], entries[1].id)
    move = await nodes[1].read_markers.move(room.key, member_id, entries[0].seq, may_decrease=False)
    assert move is not None
    assert move.read == ReadState(entries[0].seq, 2, 1)
    await nodes[1].direct_rooms.block(member_id, MemberRef(member_id=ANN.member_id, nick_name="Ann"))
    snapshot = await nodes[0].reader.read_join_snapshot(room.key, since=None, limit=1, marker_of=member_id)
    assert snapshot.read == ReadState(entries[0].seq, 2, 0)
    own = (await nodes[0].journal.append(build_message(room=room, author=ben))).entry
    snapshot = await nodes[2].reader.read_join_snapshot(room.key, since=None, limit=1, marker_of=member_id)
    assert snapshot.read == ReadState(own.seq, 0, 0)


async def test_a_direct_room_is_created_once(nodes: list[Database]) -> None:
    author, other = structs.replace(BEN, member_id=uuid4().hex), MemberRef(member_id=uuid4().hex, nick_name="Cat")
    direct_key = uuid4().hex
    addresses = [generate_room_address() for _ in nodes]
    results = await asyncio.gather(
        *[
            node.journal.append(
                AppendCreation(
                    room=RoomRef(key=address, name=address),
                    author=author,
                    policy=PolicyFields(visibility="direct"),
                    direct_key=direct_key,
                    members=(other,),
                )
            )
            for node, address in zip(nodes, addresses, strict=True)
        ],
        return_exceptions=True,
    )
    (address,) = [
        address for address, result in zip(addresses, results, strict=True) if isinstance(result, AppendResult)
    ]
    assert await nodes[0].direct_rooms.find(direct_key) == address
    direct = await nodes[1].direct_rooms.read(address)
    assert direct is not None
    assert direct.members.keys() == {author.member_id, other.member_id}
    await nodes[2].direct_rooms.block(author.member_id, other)
    assert await nodes[0].direct_rooms.read_blocks(direct.members) == {(author.member_id, other.member_id)}
    await nodes[2].direct_rooms.unblock(author.member_id, other.member_id)
    assert await nodes[0].direct_rooms.list_blocked(author.member_id) == []


async def test_concurrent_room_creation_leaves_no_seq_gap_and_orders_ids(nodes: list[Database]) -> None:
    for _ in range(20):
        room = fresh_room()
        client_id = uuid4()
        results = await asyncio.gather(
            *(node.journal.append(build_message(room=room, client_id=client_id)) for node in nodes),
            *(node.journal.append(build_message(room=room)) for node in nodes),
        )
        assert [result.duplicate for result in results].count(True) == 2
        snapshot = await nodes[0].reader.read_join_snapshot(room.key, since=None, limit=10)
        assert [entry.seq for entry in snapshot.entries] == [1, 2, 3, 4]
        ids = [entry.id for entry in snapshot.entries]
        assert ids == sorted(ids)
    secrets = await asyncio.gather(*(node.load_secrets("guest", "invite") for node in nodes))
    assert len({*map(tuple, secrets)}) == 1


async def test_concurrent_nodes_create_one_schema_and_reject_another(
    postgresql: PostgreSQLServer, clock: ManualClock
) -> None:
    url = postgresql.create_database()
    nodes = await asyncio.gather(*(open_database(url, clock=clock) for _ in range(3)))
    room = fresh_room()
    for node in nodes:
        await node.journal.append(build_message("tea", room=room))
    results = await nodes[0].reader.search("tea", room_key=room.key, joined=(), before=None, limit=9)
    assert [message.seq for message in results.messages] == [3, 2, 1]
    for node in nodes:
        await node.close()
    executor = AsyncExecutor(parse_postgresql_url(url), pool_size=1)
    await executor.run(lambda connection: connection.exec_driver_sql("UPDATE schema_fingerprint SET fingerprint = ''"))
    await executor.close()
    with pytest.raises(StorageError, match="created by another version of chat-server; start with a new --database"):
        await open_database(url, clock=clock)


async def test_a_command_that_cannot_be_stored_fails_alone(nodes: list[Database]) -> None:
    room = fresh_room()
    texts = ["a", "nul \x00", "b", "surrogate \ud800", "c"]
    outcomes = await asyncio.gather(
        *(nodes[0].journal.append(build_message(text, room=room)) for text in texts), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [
        AppendResult,
        InternalError,
        AppendResult,
        InternalError,
        AppendResult,
    ]


async def test_a_restarted_database_server_is_reconnected(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    room = fresh_room()
    with postgresql_server() as server:
        database = await open_database(server.url, clock=clock)
        await database.journal.append(build_message(room=room))
        await database.reader.read_page(room.key, after=0, limit=10)
        await asyncio.to_thread(server.stop)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await database.journal.append(build_message(room=room))
            with pytest.raises(Unavailable):
                await database.reader.read_page(room.key, after=0, limit=10)
        assert database.journal.outage
        assert await database.health_problem() == database.journal.outage
        await asyncio.to_thread(server.start)
        assert (await database.journal.append(build_message(room=room))).entry.seq == 2
        assert len((await database.reader.read_page(room.key, after=0, limit=10)).messages) == 2
        messages = [record.message.partition(":")[0] for record in caplog.records if record.name == "chat.storage"]
        failures, recoveries = ["database read failed", "database write failed"], ["reads resumed", "writes resumed"]
        assert sorted(messages) == sorted([*failures, *(f"database {text}" for text in recoveries)])
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        pages = [database.reader.read_page(room.key, after=0, limit=10) for _ in range(3)]
        assert [len(page.messages) for page in await asyncio.gather(*pages)] == [2, 2, 2]  # without a failure
        await database.close()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("@/", "@/nothing", "database does not exist"),
        ("chat@", "somebody:password@", "user or password rejected"),
        ("?host=", "?host=/nowhere", "file not found"),
    ],
)
async def test_an_unusable_database_server_is_rejected(
    postgresql: PostgreSQLServer, clock: ManualClock, old: str, new: str, reason: str
) -> None:
    with pytest.raises(StorageError) as error:
        await open_database(postgresql.url.replace(old, new), clock=clock)
    assert str(error.value).endswith(f": {reason}")
    assert "password@" not in str(error.value)


async def test_room_conflicts_are_rejected_and_a_message_restores_a_removed_room(nodes: list[Database]) -> None:
    room = fresh_room()
    database, second_node, _ = nodes
    created = await database.rooms.create(room.key, room.name, "leaves")
    with pytest.raises(Conflict):
        await second_node.rooms.create(room.key, room.name, "")
    assert await second_node.reader.find_room(created.id) == created
    await database.journal.append(build_message("hi", room=room))
    with pytest.raises(Conflict):
        await database.rooms.delete(created.id)
    await database.journal.append(build_deletion(1, room=room))
    conflicting = await database.rooms.create(uuid4().hex, "taken", "")
    with pytest.raises(Conflict):
        await database.rooms.rename(created.id, conflicting.key, "taken")
    await database.rooms.delete(created.id)
    assert await second_node.reader.find_room(created.id) is None
    with pytest.raises(NotFound):
        await database.rooms.delete(created.id)
    appended = await second_node.journal.append(build_message("back", room=room))
    assert appended.entry.seq == 3
    restored = await database.reader.find_room(created.id)
    assert restored is not None
    assert (restored.last_seq, restored.topic, restored.access.policy.visibility) == (3, "", "public")


async def test_groups_have_codes_covers_conversations_and_messages(nodes: list[Database]) -> None:
    await verify_groups(nodes[0])


async def test_uses_of_more_tokens_than_parameters_of_a_statement_are_stored(
    nodes: list[Database], clock: ManualClock
) -> None:
    account = Account(id=0, name=uuid4().hex, nick_name=uuid4().hex, member_id=uuid4().hex)
    account_id = (await nodes[0].accounts.create(account, password_hash=None)).account.id
    token = await nodes[0].accounts.add_token(account_id, account.name.encode(), "")
    clock.now += HOUR_MS
    await nodes[0].accounts.touch_tokens([token.id, *range(token.id + 1_000, token.id + 34_000)])
    assert [used.last_used_at for used in await nodes[1].accounts.list_tokens(account_id)] == [
        token.last_used_at + HOUR_MS
    ]
