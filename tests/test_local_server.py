"""Local server of the client: a real `chat-server` process."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.support.in_process_server import running_server
from tui_chat.local_server import LocalServer, LocalServerError, is_chat_server, start_or_join

HOST = "127.0.0.1"


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[LocalServer]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    server = LocalServer()
    yield server
    server.close()


async def wait_until_stopped(url: str) -> None:
    async with asyncio.timeout(20):
        while await is_chat_server(url):  # noqa: ASYNC110 (another process reports nothing)
            await asyncio.sleep(0.05)


async def test_the_process_serves_until_close_and_can_start_again(server: LocalServer) -> None:
    for _ in range(2):
        url = await server.start(HOST, 0)
        assert await is_chat_server(url)
        await asyncio.to_thread(server.close)
        assert not await is_chat_server(url)
    server.close()


async def test_a_server_module_in_the_working_directory_is_not_started(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "server.py").write_text("raise SystemExit('server of the user')\n")
    monkeypatch.chdir(tmp_path)
    assert await is_chat_server(await server.start(HOST, 0))


async def test_a_port_of_another_program_is_reported(server: LocalServer) -> None:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(LocalServerError, match=f"{HOST}:{port} is in use by another program"):
            await start_or_join(server, HOST, port)


@pytest.mark.parametrize("database", ["chat.db", "other.db"])
async def test_a_running_chat_server_is_joined_and_not_stopped(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    monkeypatch.setenv("CHAT_DATABASE", str(tmp_path / database))
    async with running_server(tmp_path) as running:
        url, lines = await start_or_join(server, HOST, running.port)
        server.close()
        assert url == running.url
        assert len(lines) == 1
        assert await is_chat_server(url)


async def test_a_failed_start_is_reported_as_a_sentence(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_LOG_LEVEL", "loud")
    with pytest.raises(LocalServerError, match=r"^Environment CHAT_LOG_LEVEL: invalid value 'loud' .*\.$"):
        await server.start(HOST, 0)


async def test_a_crash_without_a_report_refers_to_the_log(
    server: LocalServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", str(tmp_path / "missing"))
    with pytest.raises(LocalServerError, match=r"see .*chat-tui\.log"):
        await server.start(HOST, 0)


CLIENT = """
import asyncio, sys, time
from tui_chat.local_server import LocalServer
server = LocalServer()
print(asyncio.run(server.start("127.0.0.1", 0)), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("kill_signal", [signal.SIGKILL, signal.SIGTERM])
async def test_the_server_stops_after_a_crash_of_the_client(tmp_path: Path, kill_signal: signal.Signals) -> None:
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CLIENT), stdout=asyncio.subprocess.PIPE, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert client.stdout is not None
    url = (await asyncio.wait_for(client.stdout.readline(), 20)).decode().strip()
    assert await is_chat_server(url)
    client.send_signal(kill_signal)
    await client.wait()
    await wait_until_stopped(url)
