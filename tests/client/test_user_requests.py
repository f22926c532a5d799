"""Requests of the SDK that concern no single room."""

import pytest

from server.app import RunningServer
from tests.support.accounts import create_account
from tests.support.event_recorder import next_event
from tests.support.tcp_proxy import TcpProxy
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import RoomJoined
from tui_chat.client.room import Room
from tui_chat.protocol.errors import Forbidden, TooLong


def away_texts(room: Room) -> dict[str, str | None]:
    """Return the status text of each member by nickname, None for a present one."""
    return {member.nick_name: member.away for member in room.members.values()}


async def test_a_status_survives_a_reconnect_and_its_text_is_limited(server: RunningServer, proxy: TcpProxy) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url) as bob, ChatClient(server.url) as eve:
        tea = await ann.join("tea", nick="ann")
        events = bob.events()
        await bob.join("tea", nick="bob")
        await bob.user.set_status(away=True, text="lunch")
        await wait_until(lambda: away_texts(tea) == {"ann": None, "bob": "lunch"})
        proxy.reset_all()
        while not (await next_event(events, RoomJoined)).rejoined:
            pass
        eves_tea = await eve.join("tea", nick="eve")
        await wait_until(lambda: away_texts(eves_tea) == {"ann": None, "bob": "lunch", "eve": None})
        await bob.user.set_status(away=False)
        await wait_until(lambda: away_texts(tea) == {"ann": None, "bob": None, "eve": None})
        with pytest.raises(TooLong):
            await bob.user.set_status(away=True, text="x" * 1_000)


async def test_mentions_are_listed_newest_first_and_only_for_accounts(server: RunningServer) -> None:
    token = (await create_account(server, "ann")).token
    async with ChatClient(server.url, token=token, account="ann") as ann, ChatClient(server.url) as bob:
        await ann.join("tea", nick="ann")
        tea = await bob.join("tea", nick="bob")
        await tea.send("@ann one")
        await tea.send("nothing")
        await tea.send("@ann two")
        page = await ann.user.list_mentions(limit=1)
        older = await ann.user.list_mentions(cursor=page.next)
        assert [message.message for message in (*page.messages, *older.messages)] == ["@ann two", "@ann one"]
        with pytest.raises(Forbidden):
            await bob.user.list_mentions()


async def test_a_direct_room_has_the_name_of_the_other_member_and_a_block_rejects_messages(
    server: RunningServer,
) -> None:
    tokens = {name: (await create_account(server, name)).token for name in ("ann", "bob")}
    async with (
        ChatClient(server.url, token=tokens["ann"], account="ann") as ann,
        ChatClient(server.url, token=tokens["bob"], account="bob") as bob,
    ):
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        await wait_until(lambda: len(tea.members) == len(bobs_tea.members) == 2)
        direct = await ann.user.open_direct([tea.members[bobs_tea.member_id]])
        bobs_direct = await bob.user.open_direct([bobs_tea.members[tea.member_id]])
        assert direct.name == bobs_direct.name
        assert (direct.title, bobs_direct.title) == ("bob", "ann")
        await direct.send("psst")
        await bob.user.block(tea.member_id)
        assert [ref.nick_name for ref in await bob.user.list_blocks()] == ["ann"]
        with pytest.raises(Forbidden):
            await direct.send("hello?")
        await bob.user.unblock(tea.member_id)
        await direct.send("hello")
