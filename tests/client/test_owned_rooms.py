"""Rooms of accounts in the SDK."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from server.app import RunningServer
from tests.support.accounts import create_account
from tests.support.messages import message_texts
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client import owned_rooms
from tui_chat.client.client import ChatClient
from tui_chat.client.outbox.store import Outbox
from tui_chat.client.outbox_item import OutboxItemState
from tui_chat.client.room import Room
from tui_chat.client.storage.history_db import LocalHistory, RoomKey
from tui_chat.client.sync.log_segment import LogSegment
from tui_chat.protocol.errors import Conflict, Forbidden, NotFound, Unavailable
from tui_chat.protocol.policies import PolicyFields


async def read_all(room: Room) -> None:
    """Discard the entries of a room until the iteration ends; raise the error of a lost room."""
    async for _ in room:
        pass


@pytest.fixture
async def ann(server: RunningServer) -> AsyncGenerator[ChatClient]:
    issued = await create_account(server, "ann")
    async with ChatClient(server.url, token=issued.token, account="ann") as chat:
        yield chat


async def test_a_private_room_is_unlisted_and_admits_only_an_invited_guest(
    server: RunningServer, ann: ChatClient
) -> None:
    room = await ann.owned_rooms.create(title="Team")
    await room.send("welcome")
    invite = await ann.owned_rooms.create_invite(room.name, uses=1)
    assert invite.code is not None
    async with ChatClient(server.url) as bob, ChatClient(server.url) as eve:
        with pytest.raises(NotFound):
            await eve.join(room.name, nick="eve")
        bobs_room = await bob.join(room.name, nick="bob", invite=invite.code)
        assert [message.message for message in bobs_room.log.messages()] == ["welcome"]
        with pytest.raises(NotFound):
            await eve.join(room.name, nick="eve", invite=invite.code)
        assert [listed.name for listed in await eve.list_rooms()] == []
    (membership,) = await ann.owned_rooms.list_memberships()
    assert (membership.name, membership.title, membership.role) == (room.name, "Team", "owner")


async def test_invites_are_listed_and_revoked(ann: ChatClient) -> None:
    room = await ann.owned_rooms.create("tea", policy=PolicyFields(visibility="unlisted"))
    invite = await ann.owned_rooms.create_invite(room.name, expires_in=60)
    assert [listed.id for listed in await ann.owned_rooms.list_invites(room.name)] == [invite.id]
    await ann.owned_rooms.revoke_invite(room.name, invite.id)
    assert await ann.owned_rooms.list_invites(room.name) == []


async def test_a_webhook_posts_as_a_bot_until_it_is_revoked(ann: ChatClient) -> None:
    room = await ann.owned_rooms.create("tea")
    hook = await ann.owned_rooms.create_hook(room.name, "CI")
    async with ClientSession() as session, session.post(hook.url, json={"text": "build 7"}) as response:
        assert await response.text() == "ok"
    await wait_until(lambda: list(room.log.messages()))
    (message,) = room.log.messages()
    assert (message.nick_name, message.member_id, message.message, message.bot) == ("CI", hook.id, "build 7", True)
    (listed,) = await ann.owned_rooms.list_hooks(room.name)
    assert (listed.id, listed.nick_name, listed.created_by.account) == (hook.id, "CI", "ann")
    await ann.owned_rooms.revoke_hook(room.name, hook.id)
    assert await ann.owned_rooms.list_hooks(room.name) == []
    async with ClientSession() as session, session.post(hook.url, json={"text": "build 8"}) as response:
        assert response.status == 404


async def test_a_policy_rejects_guest_posts_and_a_deletion_closes_the_room_of_its_members(
    server: RunningServer, ann: ChatClient
) -> None:
    room = await ann.owned_rooms.create("tea")
    async with ChatClient(server.url) as bob:
        bobs_room = await bob.join("tea", nick="bob")
        await ann.owned_rooms.update(room.name, policy=PolicyFields(guest_post=False))
        item = bobs_room.post("hi")
        await wait_until(lambda: any(unsent.error is not None for unsent in bobs_room.unsent()))
        (unsent,) = bobs_room.unsent()
        assert unsent.client_id == item.client_id
        assert isinstance(unsent.error, Forbidden)
        reader = asyncio.create_task(read_all(bobs_room))
        await ann.owned_rooms.delete(room.name)
        with pytest.raises(NotFound):
            await asyncio.wait_for(reader, TIMEOUT)
        assert bob.rooms == {}
        await wait_until(lambda: ann.rooms == {})


async def test_leave_with_forget_ends_a_membership_except_that_of_the_last_owner(
    server: RunningServer, ann: ChatClient
) -> None:
    room = await ann.owned_rooms.create(title="Team")
    invite = await ann.owned_rooms.create_invite(room.name)
    with pytest.raises(Conflict) as conflict:
        await room.leave(forget=True)
    assert conflict.value.reason == "last_owner"
    await room.send("still here")
    issued = await create_account(server, "bob")
    async with ChatClient(server.url, token=issued.token, account="bob") as bob:
        bobs_room = await bob.join(room.name, nick="bob", invite=invite.code)
        await bobs_room.leave(forget=True)
        assert bob.rooms == {}
        assert await bob.owned_rooms.list_memberships() == []
        with pytest.raises(NotFound):
            await bob.join(room.name, nick="bob")


async def test_a_device_loses_its_role_when_another_one_ends_the_membership(server: RunningServer) -> None:
    issued = await create_account(server, "bob")
    async with (
        ChatClient(server.url, token=issued.token, account="bob") as laptop,
        ChatClient(server.url, token=issued.token, account="bob") as phone,
    ):
        room = await laptop.join("tea", nick="bob")
        await room.send("stored")
        assert room.role == "member"
        await (await phone.join("tea", nick="bob")).leave(forget=True)
        await wait_until(lambda: room.role is None)
        await phone.join("tea", nick="bob")
        await wait_until(lambda: room.role == "member")


async def test_a_guest_cannot_create_an_owned_room(server: RunningServer) -> None:
    async with ChatClient(server.url) as chat:
        with pytest.raises(Forbidden):
            await chat.owned_rooms.create("tea")


async def test_a_request_without_a_connection_fails_after_the_time_limit(
    unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owned_rooms, "REQUEST_TIMEOUT", 0.01)
    async with ChatClient(f"http://127.0.0.1:{unused_tcp_port}", connect_in_background=True) as chat:
        with pytest.raises(Unavailable) as error:
            await chat.owned_rooms.create("tea")
        assert error.value.reason == "not_connected"


async def test_renamed_rooms_keep_their_cache_and_outbox(
    server: RunningServer, ann: ChatClient, tmp_path: Path
) -> None:
    await ann.owned_rooms.create("old")
    async with (
        LocalHistory(tmp_path) as history,
        Outbox(tmp_path) as outbox,
        ChatClient(server.url, history=history, outbox=outbox) as bob,
    ):
        removed_room = LogSegment(ranges=((1, 2),))
        await history.write(RoomKey(server.url, "new", "bob"), removed_room, "log id of a removed room")
        room = await bob.join("old", nick="bob")
        await room.send("hello")
        room.post("to nothing", reply_to=99)
        await wait_until(lambda: [item.state for item in room.unsent()] == [OutboxItemState.FAILED])
        await ann.owned_rooms.update("old", name="new")
        await wait_until(lambda: room.name == "new")
        team = await ann.owned_rooms.create(title="Team")
        invite = await ann.owned_rooms.create_invite(team.name)
        bobs_team = await bob.join(team.name, nick="bob", invite=invite.code)
        await ann.owned_rooms.update(team.name, title="Crew")
        await wait_until(lambda: bobs_team.title == "Crew")
    async with (
        LocalHistory(tmp_path) as history,
        Outbox(tmp_path) as outbox,
        ChatClient(server.url, guest_key=bob.guest_key, history=history, outbox=outbox) as bob,
    ):
        opened = await bob.open_cached("new", nick="bob")
        assert opened is not None
        assert message_texts(opened) == ["hello"]
        opened_team = await bob.open_cached(team.name, nick="bob")
        assert opened_team is not None
        assert opened_team.title == "Crew"
        (item,) = opened.unsent()
        await wait_until(lambda: opened.was_joined)
        opened.retry(item.client_id)
        await wait_until(lambda: opened.unsent()[0].state is OutboxItemState.FAILED)
        assert isinstance(opened.unsent()[0].error, NotFound)
        assert await bob.open_cached("old", nick="bob") is None
        assert (await bob.join("old", nick="bob")).name == "old"
