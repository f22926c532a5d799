"""Connections that vanish in the middle of a fan-out cost the others nothing."""

import asyncio
import signal
from pathlib import Path

from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import server_process


async def _vanish(url: str) -> None:
    async with raw_client(url) as client:
        await client.join("tea", "ghost")
        await client.wait_for_push("message")
        client.abort()


async def _hear(client: RawClient, count: int) -> list[str]:
    texts: list[str] = []
    while len(texts) < count:
        push = await client.wait_for_push("message")
        if push["kind"] == "message":
            texts.append(push["message"])
    return texts


async def test_members_that_vanish_while_others_talk_disturb_nobody(tmp_path: Path) -> None:
    async with server_process(tmp_path, "--rate-limit", "off") as server:
        async with raw_client(server.url) as ann, raw_client(server.url) as bob:
            await ann.join("tea", "ann")
            await bob.join("tea", "bob")
            hearing = asyncio.create_task(_hear(bob, 300))
            vanishing = asyncio.gather(*[_vanish(server.url) for _ in range(40)])
            for number in range(300):
                await ann.request("sendMessage", {"room": "tea", "message": str(number)})
            await vanishing
            assert await hearing == [str(number) for number in range(300)]
        server.send_signal(signal.SIGTERM)
        code, errors = await server.wait_closed()
    assert code == 0
    assert "Traceback" not in errors
    assert "ERROR" not in errors
