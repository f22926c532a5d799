"""Read markers of an account in the SDK, on two of its devices."""

import pytest

from server.app import RunningServer
from tests.support.accounts import create_account
from tests.support.tcp_proxy import TcpProxy
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.event_queue import EventQueue
from tui_chat.client.events import ClientEvent, ReadMarker, ReadMarkerChanged
from tui_chat.client.room import Room
from tui_chat.protocol.errors import Forbidden


def pop_markers(queue: EventQueue[ClientEvent]) -> list[ReadMarkerChanged]:
    """Remove all events of a queue, and return those of read markers."""
    events = [queue.pop() for _ in range(queue.size) if queue]
    return [event for event in events if isinstance(event, ReadMarkerChanged)]


def unread_state(room: Room) -> tuple[int, int, int]:
    """Return `seq`, unread messages and mentions of the read marker."""
    state = room.read_marker.state
    assert state is not None
    return state.seq, state.unread, state.mentions


async def test_devices_of_an_account_share_the_read_marker(server: RunningServer, proxy: TcpProxy) -> None:
    token = (await create_account(server, "ann")).token
    async with (
        ChatClient(server.url, token=token, account="ann") as laptop,
        ChatClient(proxy.url, token=token, account="ann") as phone,
        ChatClient(server.url) as bob,
    ):
        tea, bobs_tea = await laptop.join("tea", nick="ann"), await bob.join("tea", nick="bob")
        seqs = [(await bobs_tea.send(text)).seq for text in ("one", "@ann two", "three")]
        queue = phone.events()
        phones_tea = await phone.join("tea", nick="ann")
        assert unread_state(phones_tea) == (seqs[0] - 1, 3, 1)
        (joined,) = pop_markers(queue)
        assert joined == ReadMarkerChanged("tea", ReadMarker(seqs[0] - 1, 3, 1, seqs[-1]), None)

        await wait_until(lambda: tea.log.last == seqs[-1])  # part of the marker
        moved = await tea.read_marker.mark_read(seqs[1])
        assert (moved.seq, moved.unread, moved.mentions) == (seqs[1], 1, 0)
        await wait_until(lambda: unread_state(phones_tea) == (seqs[1], 1, 0))
        assert (await tea.read_marker.mark_read(seqs[0])).seq == seqs[1]
        (pushed,) = pop_markers(queue)
        assert (pushed.room, pushed.marker, pushed.previous) == ("tea", moved, joined.marker)

        await phones_tea.read_marker.mark_read(seqs[0] - 1, unread=True)
        assert unread_state(phones_tea) == (seqs[0] - 1, 3, 1)
        await wait_until(lambda: unread_state(tea) == (seqs[0] - 1, 3, 1))

        sent = await phones_tea.send("mine")
        await wait_until(lambda: unread_state(tea) == unread_state(phones_tea) == (sent.seq, 0, 0))
        proxy.reset_all()
        await tea.read_marker.mark_read(seqs[0], unread=True)
        await wait_until(lambda: unread_state(phones_tea) == (seqs[0], 3, 1))


async def test_a_moved_marker_of_a_room_that_is_not_open_is_an_event(server: RunningServer) -> None:
    token = (await create_account(server, "ann")).token
    async with (
        ChatClient(server.url, token=token, account="ann") as laptop,
        ChatClient(server.url, token=token, account="ann") as phone,
        ChatClient(server.url) as bob,
    ):
        queue = phone.events()
        tea = await laptop.join("tea", nick="ann")
        seq = (await (await bob.join("tea", nick="bob")).send("one")).seq
        (listed,) = await phone.owned_rooms.list_memberships()
        assert (listed.name, listed.read.unread) == ("tea", 1)
        await tea.read_marker.mark_read(seq)
        await wait_until(lambda: ReadMarkerChanged("tea", ReadMarker(seq, 0, 0), None) in pop_markers(queue))


async def test_a_room_has_a_read_marker_while_the_user_has_an_account(server: RunningServer) -> None:
    token = (await create_account(server, "ann")).token
    async with ChatClient(server.url) as chat:
        tea = await chat.join("tea", nick="ann")
        guest_id = tea.member_id
        assert tea.read_marker.state is None
        with pytest.raises(Forbidden):
            await tea.read_marker.mark_read(1)
        await chat.set_token(token, "ann")
        await wait_until(lambda: tea.read_marker.state is not None)
        assert tea.member_id != guest_id
        await chat.set_token(None)
        await wait_until(lambda: tea.member_id == guest_id)
        assert tea.read_marker.state is None


async def test_a_direct_message_of_an_absent_account_is_listed_with_its_sender(server: RunningServer) -> None:
    tokens = {name: (await create_account(server, name)).token for name in ("ann", "bob")}
    async with ChatClient(server.url, token=tokens["ann"], account="ann") as ann:
        tea = await ann.join("tea", nick="ann")
        async with ChatClient(server.url, token=tokens["bob"], account="bob") as bob:
            member_id = (await bob.join("tea", nick="bob")).member_id
            await wait_until(lambda: member_id in tea.members)
            bobs_ref = tea.members[member_id]
        await (await ann.user.open_direct([bobs_ref])).send("psst")
    async with ChatClient(server.url, token=tokens["bob"], account="bob") as bob:
        listed = {room.title or room.name: room for room in await bob.owned_rooms.list_memberships()}
        (address,) = set(listed) - {"tea"}
        assert (listed[address].read.unread, listed["tea"].read.unread) == (1, 0)
        direct = await bob.join(address, nick="bob")
        assert (direct.title, direct.is_direct, unread_state(direct)[1]) == ("ann", True, 1)
