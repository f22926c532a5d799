"""Prometheus metrics endpoint."""

import asyncio
from pathlib import Path

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.support.in_process_server import running_server
from tests.support.raw_client import raw_client
from tests.support.wait import TIMEOUT


async def fetch_metrics(url: str) -> dict[str, float]:
    """Return the values of all samples by name and labels."""
    async with aiohttp.ClientSession() as session, session.get(url + "/metrics") as answer:
        assert answer.status == 200, answer.status
        text = await answer.text()
    return {
        sample.name + str(sample.labels or ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics_report_connections_members_entries_and_loop_lag(tmp_path: Path) -> None:
    async with running_server(tmp_path) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        for text in ("one", "two"):
            await ann.request("sendMessage", {"room": "tea", "message": text})
        await ann.request("listRooms", {})
        found = await fetch_metrics(server.url)
        assert found["chat_connections"] == 1
        assert (found["chat_rooms"], found["chat_members"]) == (1, 1)
        assert found["chat_entries_total"] == 2
        assert found["chat_journal_queue_depth"] == 0
        async with asyncio.timeout(TIMEOUT):
            while not (found := await fetch_metrics(server.url))["chat_event_loop_lag_seconds_count"]:
                pass
        assert found["chat_event_loop_lag_seconds_bucket{'le': '+Inf'}"] == found["chat_event_loop_lag_seconds_count"]


async def test_metrics_are_hidden_from_remote_addresses(tmp_path: Path) -> None:
    async with running_server(tmp_path, trusted_proxy=("127.0.0.0/8",)) as server, aiohttp.ClientSession() as session:
        async with session.get(server.url + "/metrics", headers={"X-Forwarded-For": "192.0.2.1"}) as answer:
            assert answer.status == 404
        assert await fetch_metrics(server.url)
