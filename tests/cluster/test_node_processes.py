"""Nodes in processes of their own, which are killed or paused while they write."""

import asyncio
import re
import signal
import socket
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.postgresql import PostgreSQLServer
from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import run_server, server_process

pytestmark = pytest.mark.needs_postgresql


async def read_texts(client: RawClient, last: str) -> list[str]:
    """Return the texts of all messages up to `last`, with consecutive `seq`."""
    texts: list[str] = []
    seqs: list[int] = []
    while texts[-1:] != [last]:
        push = await client.wait_for_push("message")
        if "seq" in push:
            texts.append(push["message"])
            seqs.append(push["seq"])
    assert seqs == list(range(1, len(seqs) + 1))
    return texts


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSTOP])
async def test_messages_acknowledged_by_a_failing_node_reach_the_readers_of_other_nodes(
    postgresql: PostgreSQLServer, tmp_path: Path, signal_number: signal.Signals
) -> None:
    room, acknowledged, failed = uuid4().hex, list[str](), asyncio.Event()
    flags = ("--database", postgresql.url, "--rate-limit", "off")
    async with (
        server_process(tmp_path, *flags) as failing,
        server_process(tmp_path, *flags) as working,
        raw_client(failing.url) as ann,
        raw_client(failing.url) as cat,
        raw_client(working.url) as ben,
        raw_client(working.url) as dan,
    ):
        code, output, errors = await run_server(tmp_path / "operator", "nodes", *flags[:2])
        assert (code, errors) == (0, "")
        assert re.fullmatch(
            rf"({socket.gethostname()}:0  \d connections, lag \d+ ms, up .*, heartbeat .* ago\n){{2,}}", output
        )
        for client, nick in ((ann, "ann"), (cat, "cat"), (ben, "ben"), (dan, "dan")):
            await client.join(room, nick)

        async def send_until_failure() -> None:
            for number in count():
                if (await ann.request("sendMessage", {"room": room, "message": str(number)}))["ok"]:
                    acknowledged.append(str(number))
                if number == 20:
                    failing.send_signal(signal_number)
                    failed.set()

        sender = asyncio.create_task(send_until_failure())
        while not failed.is_set():
            assert (await dan.request("sendMessage", {"room": room, "message": "dan"}))["ok"]
        assert (await dan.request("sendMessage", {"room": room, "message": "end"}))["ok"]
        texts = await read_texts(ben, "end")
        numbers = [text for text in texts if text.isdecimal()]
        assert numbers == [str(number) for number in range(len(numbers))]
        assert set(acknowledged) <= set(numbers)
        if signal_number is signal.SIGSTOP:
            failing.send_signal(signal.SIGCONT)
            assert await read_texts(cat, "end") == texts
        sender.cancel()
        await asyncio.wait({sender})
