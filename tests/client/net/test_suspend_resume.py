"""Suspend detection by the wall clock, and the probe that follows."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.environment import program_environment
from tests.support.in_process_server import running_server
from tests.support.messages import message_texts
from tests.support.program import PIPE, start_program
from tests.support.tcp_proxy import TcpProxy
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import Offline, Online
from tui_chat.client.net import connector, transport
from tui_chat.client.net.backoff import FAST_RETRY_DURATION, FAST_RETRY_MAX_DELAY, Backoff


class WallClock:
    """Loop time plus an offset for suspended time."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.offset


async def test_a_connection_lost_during_suspend_is_replaced_after_a_probe(
    server: RunningServer, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector, "CLOCK_CHECK_INTERVAL", 0.05)
    monkeypatch.setattr(transport, "HEARTBEAT_INTERVAL", 10 * TIMEOUT)  # the probe is the only detection
    wall_clock = WallClock()
    async with ChatClient(proxy.url, wall_clock=wall_clock) as ann, ChatClient(server.url) as bob:
        tea = await ann.join("tea", nick="ann")
        bobs_tea = await bob.join("tea", nick="bob")
        # A router that drops the connection from its table sends no reset.
        proxy.open_connections[0].stall()
        await bobs_tea.send("while asleep")
        wall_clock.offset = 3_600.0
        await wait_until(lambda: len(tea.log) == 1)
        assert proxy.accepted_count == 2


async def test_a_live_connection_survives_suspend(
    proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connector, "CLOCK_CHECK_INTERVAL", 0.05)
    caplog.set_level("INFO", "chat.client")
    wall_clock = WallClock()
    async with ChatClient(proxy.url, wall_clock=wall_clock) as ann:
        tea = await ann.join("tea", nick="ann")
        await wait_until(lambda: isinstance(ann.state, Online) and ann.state.latency)
        wall_clock.offset = 3_600.0
        await wait_until(lambda: "suspend detected" in caplog.text)
        await tea.send("still here")  # the response follows that of the probe
        assert isinstance(ann.state, Online)
        assert proxy.accepted_count == 1


async def test_a_resumed_client_reconnects_with_short_delays(proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "CLOCK_CHECK_INTERVAL", 0.05)
    wall_clock = WallClock()
    async with ChatClient(proxy.url, wall_clock=wall_clock, random=lambda: 1.0) as ann:
        tea = await ann.join("tea", nick="ann")
        proxy.refuse_connections()
        proxy.reset_all()
        # A long backoff delay is the precondition of the test.
        await wait_until(lambda: isinstance(ann.state, Offline) and ann.state.retry_in > 1.5)
        wall_clock.offset = 3_600.0
        attempts = proxy.accepted_count
        await wait_until(lambda: proxy.accepted_count >= attempts + 3)
        assert isinstance(ann.state, Offline)
        assert ann.state.retry_in <= FAST_RETRY_MAX_DELAY
        proxy.accept_connections()
        await wait_until(lambda: tea.membership.context.gate.value is not None)


def test_fast_retry_caps_delays_for_a_limited_time() -> None:
    now = 0.0
    backoff = Backoff(lambda: 1.0, lambda: now)
    for _ in range(100):
        backoff.next_delay()
    assert backoff.next_delay() > 10
    backoff.start_fast_retry()
    assert max(backoff.next_delay() for _ in range(20)) <= FAST_RETRY_MAX_DELAY
    now = FAST_RETRY_DURATION + 1
    assert max(backoff.next_delay() for _ in range(100)) > 10


async def test_a_stopped_process_reconnects_after_sigcont(tmp_path: Path) -> None:
    """Stop the client beyond the ping timeout, so that the server closes its connection."""
    async with running_server(tmp_path, rate_limit="off", ping_interval=1.0, ping_timeout=1.0) as server:
        command = (sys.executable, "-m", "tests.support.posting_client", server.url, "tea", "ann", str(tmp_path))
        process = await start_program(command, program_environment(tmp_path), stdin=PIPE, stdout=PIPE)
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            async with ChatClient(server.url) as bob:
                assert (await asyncio.wait_for(process.stdout.readline(), TIMEOUT)).startswith(b"joined")
                bobs_tea = await bob.join("tea", nick="bob")
                assert len(bobs_tea.members) == 2
                process.send_signal(signal.SIGSTOP)
                await wait_until(lambda: len(bobs_tea.members) == 1)
                process.stdin.write(b"after the sleep\n")
                process.send_signal(signal.SIGCONT)
                await wait_until(lambda: message_texts(bobs_tea) == ["after the sleep"])
        finally:
            process.kill()
            await process.wait()
