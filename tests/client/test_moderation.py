"""Moderation requests of the SDK, and the end of a membership by a kick or ban."""

import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import pytest

from server.app import RunningServer
from server.domain.account_directory import ServerRole
from tests.support.accounts import create_account
from tests.support.event_recorder import next_event
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import RoomLost
from tui_chat.client.room import Room
from tui_chat.protocol.errors import BadRequest, Forbidden, NotFound
from tui_chat.protocol.events import MemberChange


class SdkClients:
    """Clients of one server, closed by `stack`.

    Args:
        server: Server in the test process.
        stack: Owner of the clients.
    """

    def __init__(self, server: RunningServer, stack: AsyncExitStack) -> None:
        self._server = server
        self._stack = stack

    async def connect(self, name: str = "", *, role: ServerRole = "user") -> ChatClient:
        """Connect a guest, or a new account with a name."""
        token = (await create_account(self._server, name, role=role)).token if name else None
        return await self._stack.enter_async_context(ChatClient(self._server.url, token=token, account=name))


@pytest.fixture
async def clients(server: RunningServer) -> AsyncGenerator[SdkClients]:
    async with AsyncExitStack() as stack:
        yield SdkClients(server, stack)


async def join_as_moderator(clients: SdkClients) -> Room:
    """Join `tea` as a server administrator with the nickname `root`."""
    return await (await clients.connect("root", role="admin")).join("tea", nick="root")


@pytest.mark.parametrize("action", ["kick", "ban"])
async def test_a_kick_or_ban_closes_the_room_with_its_reason_and_only_a_ban_prevents_a_join(
    clients: SdkClients, action: str
) -> None:
    tea = await join_as_moderator(clients)
    guest = await clients.connect()
    events = guest.events()
    guests_tea = await guest.join("tea", nick="bob")
    await getattr(tea.moderation, action)(guests_tea.member_id, "spam")
    lost = await next_event(events, RoomLost)
    assert isinstance(lost.error, Forbidden)
    assert lost.error.reason == {"kick": "member_kicked", "ban": "member_banned"}[action]
    assert lost.change is not None
    assert (lost.change.by.nick_name, lost.change.reason) == ("root", "spam")
    assert guest.rooms == {}
    with pytest.raises(Forbidden):
        await guests_tea.send("hi")
    if action == "ban":
        with pytest.raises(Forbidden, match="banned"):
            await guest.join("tea", nick="bob")
        await tea.moderation.unban(guests_tea.member_id)
    assert (await guest.join("tea", nick="bob")).nick == "bob"


async def test_a_muted_member_cannot_send_until_the_unmute_and_sanctions_and_audit_list_the_mute(
    clients: SdkClients,
) -> None:
    tea = await join_as_moderator(clients)
    guests_tea = await (await clients.connect()).join("tea", nick="bob")
    until = time.time_ns() // 1_000_000 + 60_000
    await tea.moderation.mute(guests_tea.member_id, "calm down", until=until)
    with pytest.raises(Forbidden, match="silenced"):
        await guests_tea.send("hi")
    sanctions = await tea.moderation.list_sanctions(until - 1)
    assert [(sanction.action, sanction.target.nick_name) for sanction in sanctions] == [("muted", "bob")]
    assert await tea.moderation.list_sanctions(until) == []
    await tea.moderation.unmute(guests_tea.member_id)
    assert await tea.moderation.list_sanctions(until - 1) == []
    await guests_tea.send("hi")
    audit = await tea.moderation.read_audit()
    changes = [entry for entry in audit.messages if isinstance(entry, MemberChange)]
    assert [(change.action, change.until, change.reason) for change in changes] == [
        ("muted", until, "calm down"),
        ("unmuted", None, None),
    ]


async def test_a_mute_until_a_past_time_and_a_kick_of_an_unknown_member_are_rejected(clients: SdkClients) -> None:
    tea = await join_as_moderator(clients)
    guests_tea = await (await clients.connect()).join("tea", nick="bob")
    with pytest.raises(BadRequest, match="past"):
        await tea.moderation.mute(guests_tea.member_id, until=1)
    with pytest.raises(NotFound):
        await tea.moderation.kick("unknown")


async def test_a_role_change_reaches_the_member_and_permits_the_audit(clients: SdkClients) -> None:
    tea = await join_as_moderator(clients)
    anns_tea = await (await clients.connect("ann")).join("tea", nick="ann")
    assert (tea.role, anns_tea.role) == ("admin", "member")
    with pytest.raises(Forbidden):
        await anns_tea.moderation.read_audit()
    await tea.moderation.set_role(anns_tea.member_id, "moderator")
    await wait_until(lambda: anns_tea.role == "moderator")
    assert (await anns_tea.moderation.read_audit()).messages
