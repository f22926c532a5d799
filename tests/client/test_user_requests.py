"""Requests of the SDK that concern no single room."""

import pytest

from server.app import RunningServer
from tests.support.accounts import create_account
from tests.support.tcp_proxy import TcpProxy
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import RoomJoined
from tui_chat.client.room import Room
from tui_chat.protocol.errors import Forbidden, TooLong


def away_texts(room: Room) -> dict[str, str | None]:
    return {member.nick_name: member.away for member in room.members.values()}


async def test_a_status_survives_a_reconnect(server: RunningServer, proxy: TcpProxy) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url) as bob, ChatClient(server.url) as eve:
        tea = await ann.join("tea", nick="ann")
        events = bob.events()
        await bob.join("tea", nick="bob")
        await bob.user.set_status(away=True, text="lunch")
        await wait_until(lambda: away_texts(tea) == {"ann": None, "bob": "lunch"})
        proxy.reset_all()
        async for event in events:
            if isinstance(event, RoomJoined) and event.rejoined:
                break
        eves_tea = await eve.join("tea", nick="eve")
        await wait_until(lambda: away_texts(eves_tea) == {"ann": None, "bob": "lunch", "eve": None})
        await bob.user.set_status(away=False)
        await wait_until(lambda: away_texts(tea) == {"ann": None, "bob": None, "eve": None})
        with pytest.raises(TooLong):
            await bob.user.set_status(away=True, text="x" * 1_000)


async def test_mentions_of_an_account_are_listed_newest_first(server: RunningServer) -> None:
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
