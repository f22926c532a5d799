"""Pushes of groups whose ids are not known yet."""

import asyncio
from collections.abc import Collection
from typing import cast

from server.domain.account_directory import AccountDirectory, AccountIdentity
from server.domain.room_addresses import generate_room_address
from server.engineio.connection import ClientConnection
from server.engineio.packets import Frame
from server.gateway.conversations.feed import GroupFeed
from server.gateway.conversations.views import ViewBuilder
from server.storage.group_repository import GroupRecord, GroupRepository
from tests.support.wait import wait_until
from tui_chat.protocol.events import Entry, MemberChange, MemberRef, Message

ROOM = generate_room_address()


class SlowRepository:
    """Repository whose reads of ids wait for `may_read`."""

    def __init__(self) -> None:
        self.may_read = asyncio.Event()
        self.loads = 0
        self.reads = 0

    async def list_groups(self, _member_id: str) -> list[GroupRecord]:
        self.loads += 1
        return []

    async def find_room_ids(self, names: Collection[str]) -> dict[str, int]:
        await self.may_read.wait()
        self.reads += 1
        return dict.fromkeys(names, 7)


def build_message(seq: int) -> Message:
    return Message(room=ROOM, seq=seq, id=seq, nick_name="ann", member_id="ann", message=f"text {seq}", ts=0)


def build_join(seq: int, name: str) -> Entry:
    member = MemberRef(name, name, name)
    return MemberChange(ROOM, seq, seq, 0, name, name, action="joined", target=member, by=member)


async def connect(feed: GroupFeed, name: str) -> tuple[ClientConnection, list[Frame]]:
    """Subscribe a connection to the groups of an account; return the connection and its frames."""
    frames: list[Frame] = []
    connection = ClientConnection(frames.append, lambda _: None, name, "127.0.0.1", {})
    connection.account = AccountIdentity(id=1, name=name, nick_name=name, member_id=name, role="user", token_id=1)
    await feed.connect(connection)
    return connection, frames


async def test_pending_messages_without_open_connections_do_not_end_the_feed() -> None:
    repository = SlowRepository()
    accounts = AccountDirectory()
    feed = GroupFeed(cast(GroupRepository, repository), accounts, ViewBuilder(accounts, str))
    task = asyncio.create_task(feed.run())
    ben, _ = await connect(feed, "ben")
    feed.publish([build_join(1, "ben"), build_message(2), build_message(3)])
    ben.is_open = False
    eve, frames = await connect(feed, "eve")
    repository.may_read.set()
    await wait_until(lambda: repository.reads > 0)
    feed.publish([build_join(4, "eve"), build_message(5)])
    await wait_until(lambda: task.done() or bool(frames))
    assert eve.is_open
    assert [b"text 5" in frame.polling_bytes for frame in frames] == [True]
    feed.disconnect(eve)
    loads = repository.loads
    feed.reload()
    await wait_until(lambda: repository.loads > loads)
    assert repository.loads == loads + 1  # the groups of ben only
    task.cancel()
