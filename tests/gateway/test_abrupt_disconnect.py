"""Fan-out while other connections are aborted."""

import asyncio
import signal
from pathlib import Path

from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import server_process


async def _join_and_abort(url: str) -> None:
    """Join `tea`, and abort the connection after the first notice or message."""
    async with raw_client(url) as client:
        await client.join("tea", "ghost")
        await client.wait_for_push("message")
        client.abort()


async def _receive_messages(client: RawClient, count: int) -> list[str]:
    """Return the texts of the next `count` messages."""
    texts: list[str] = []
    while len(texts) < count:
        texts.append((await client.wait_for_push("message", kind="message"))["message"])
    return texts


async def test_a_member_receives_all_messages_while_other_members_abort_their_connections(tmp_path: Path) -> None:
    async with server_process(tmp_path, "--rate-limit", "off") as server:
        async with raw_client(server.url) as ann, raw_client(server.url) as bob:
            await ann.join("tea", "ann")
            await bob.join("tea", "bob")
            receiving = asyncio.create_task(_receive_messages(bob, 300))
            aborting = asyncio.gather(*[_join_and_abort(server.url) for _ in range(40)])
            for number in range(300):
                await ann.request("sendMessage", {"room": "tea", "message": str(number)})
            await aborting
            assert await receiving == [str(number) for number in range(300)]
        server.send_signal(signal.SIGTERM)
        code, errors = await server.wait_closed()
    assert code == 0
    assert "Traceback" not in errors
    assert "ERROR" not in errors
