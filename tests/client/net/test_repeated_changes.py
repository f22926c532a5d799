"""Changes repeated with the same clientId after a lost acknowledgement."""

import asyncio
from functools import partial
from uuid import uuid4

from server.app import RunningServer
from tests.support.messages import message_texts
from tests.support.tcp_proxy import TcpProxy
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient


async def test_a_change_with_a_lost_acknowledgement_is_applied_once(server: RunningServer, proxy: TcpProxy) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url, connect_in_background=True) as bob:
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        first, second = await bobs_tea.send("one"), await bobs_tea.send("two")
        post_changes = (
            lambda: bobs_tea.post_edit(first.seq, "uno"),
            lambda: bobs_tea.post_reaction(first.seq, "👍"),
            lambda: bobs_tea.post_reaction(first.seq, "👍", on=False),
            lambda: bobs_tea.post_deletion(second.seq),
        )
        for last_seq, post_change in enumerate(post_changes, second.seq):
            await wait_until(lambda last_seq=last_seq: bobs_tea.log.last == tea.log.last == last_seq)
            proxy.open_connections[-1].stall_downstream()
            post_change()
            await wait_until(lambda last_seq=last_seq: tea.log.last == last_seq + 1)
            assert len(bobs_tea.unsent()) == 1
            proxy.reset_all()
            await wait_until(lambda: not bobs_tea.unsent())
        assert (await tea.send("end")).seq == 7
        await wait_until(lambda: bobs_tea.log.last == tea.log.last == 7)
        assert message_texts(bobs_tea) == message_texts(tea) == ["uno", "", "end"]
        assert bobs_tea.log[first.seq].reactions is None


async def test_a_repeated_change_after_a_lost_acknowledgement_receives_its_first_response(
    server: RunningServer, proxy: TcpProxy
) -> None:
    async with ChatClient(server.url) as ann, ChatClient(proxy.url) as bob:
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        assert bob.guest_key is not None
        async with ChatClient(server.url, guest_key=bob.guest_key) as second_bob:
            second_tea = await second_bob.join("tea", nick="bob")
            first, second = (await bobs_tea.send("one")).seq, (await bobs_tea.send("two")).seq
            changes = (
                (partial(bobs_tea.edit, first, "uno"), partial(second_tea.edit, first, "ein")),
                (partial(bobs_tea.react, first, "👍"), partial(second_tea.react, first, "👍", on=False)),
                (partial(bobs_tea.delete, second), partial(tea.send, "next")),
                (partial(bobs_tea.set_topic, "black"), partial(tea.set_topic, "green")),
            )
            for index, (change, later_change) in enumerate(changes):
                last_seq = second + 2 * index
                await wait_until(lambda last_seq=last_seq: bobs_tea.log.last == tea.log.last == last_seq)
                proxy.open_connections[-1].stall_downstream()
                request = asyncio.create_task(change())
                await wait_until(lambda last_seq=last_seq: tea.log.last == last_seq + 1)
                await later_change()
                proxy.reset_all()
                assert (await request).revision == last_seq + 1
        await wait_until(lambda: tea.log.last == 10)
        assert message_texts(tea) == ["ein", "", "next"]
        assert tea.log[first].reactions is None
        assert tea.topic == "green"


async def test_a_change_can_be_repeated_with_the_same_client_id(server: RunningServer) -> None:
    async with ChatClient(server.url) as ann:
        tea = await ann.join("tea", nick="ann")
        await tea.send("one")
        for change in (
            partial(tea.react, 1, "👍"),
            partial(tea.edit, 1, "uno"),
            partial(tea.set_topic, "green"),
            partial(tea.delete, 1),
        ):
            client_id = uuid4()
            first_response = await change(client_id=client_id)
            await tea.send("later")
            assert await change(client_id=client_id) == first_response
