"""Clients that read slowly or not at all, and their send queues."""

import json
from pathlib import Path
from typing import Any

from tests.support.in_process_server import running_server
from tests.support.polling_client import polling_client
from tests.support.raw_client import raw_client
from tests.support.slow_reader import create_slow_connector
from tui_chat.protocol.limits import REACTION_NAMES, REACTIONS_PER_MESSAGE

REACTING_MEMBERS = 32
SEND_QUEUE_BYTES = 200_000  # less than the size of a message with the names of all members at every reaction


async def test_a_client_that_stops_reading_is_closed_while_another_sends(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path, rate_limit="off", max_unsent_bytes=100_000) as server,
        raw_client(server.url) as ann,
        raw_client(server.url, connector=create_slow_connector()) as stalled,
    ):
        await stalled.join("tea", "stalled")
        await ann.join("tea", "ann")
        while not any('"kind":"leave"' in push for push in ann.pushes):
            assert (await ann.request("sendMessage", {"room": "tea", "message": "x" * 4000}))["ok"]
        assert (await ann.wait_for_push("message", kind="leave"))["nickName"] == "stalled"


async def test_reactions_of_many_members_fit_the_send_queue_of_a_slow_reader(tmp_path: Path) -> None:
    reaction = {"room": "tea", "seq": 1, "on": True}
    async with running_server(tmp_path, rate_limit="off", max_unsent_bytes=SEND_QUEUE_BYTES) as server:
        async with raw_client(server.url) as ann:
            await ann.join("tea", "ann")
            await ann.request("sendMessage", {"room": "tea", "message": "popular"})
        for number in range(REACTING_MEMBERS):
            async with raw_client(server.url) as member:
                await member.join("tea", "👩‍💻" * 28 + f" {number}", limit=1)
                for emoji in range(1, REACTIONS_PER_MESSAGE):
                    await member.ws.send_str("42" + json.dumps(["react", {**reaction, "emoji": f"e{emoji}"}]))
                assert (await member.request("react", {**reaction, "emoji": "e0"}))["ok"]
        async with raw_client(server.url) as ann, polling_client(server.url) as slow_reader:
            await ann.join("tea", "ann", limit=1)
            await slow_reader.connect_namespace()
            requests = (
                ("joinRoom", {"roomName": "tea", "nickName": "slow", "limit": 1}),
                ("react", {**reaction, "emoji": "more"}),
                ("history", {"room": "tea", "after": 0, "limit": 1}),
                ("sendMessage", {"room": "tea", "message": "end"}),
            )
            await slow_reader.post(*(f"42{number}{json.dumps(request)}" for number, request in enumerate(requests)))
            while (push := await ann.wait_for_push("message")).get("message") != "end":
                assert (push["kind"], push["nickName"]) != ("leave", "slow")
            responses: dict[str, Any] = {}
            while "433" not in responses:
                for packet in await slow_reader.receive_packets():
                    if packet.startswith("43"):
                        responses[packet[:3]] = json.loads(packet[3:])[0]
    error = responses["431"]["error"]
    assert (error["reason"], error["params"]) == ("too_many_reactions", {"limit": REACTIONS_PER_MESSAGE})
    (message,) = responses["432"]["messages"]
    counts = {(summary["count"], len(summary["by"])) for summary in message["reactions"].values()}
    assert (len(message["reactions"]), counts) == (REACTIONS_PER_MESSAGE, {(REACTING_MEMBERS, REACTION_NAMES)})
