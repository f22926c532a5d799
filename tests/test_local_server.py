"""Local server of the client: real `chat-server` processes.

The fork server starts them, except in tests of the command line and of the interpreter.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from server import control_commands
from tests.support.account_api import account_api
from tests.support.faulty_disk import small_disk
from tests.support.in_process_server import running_server
from tests.support.program import PIPE, start_program
from tests.support.raw_client import raw_client
from tests.support.wait import TIMEOUT, wait_until
from tui_chat import local_server
from tui_chat.local_server import SERVER_COMMAND, LocalServer, LocalServerError, is_chat_server, server_log_path

HOST = "127.0.0.1"
IDLE_TIMEOUT = 0.5


@pytest.fixture
async def server(home: Path) -> AsyncGenerator[LocalServer]:
    server = LocalServer()
    yield server
    server.close()


def server_uptime() -> float:
    """Return the uptime of the only running server, in seconds."""
    (server,) = control_commands.find_servers({})
    return server.fields["uptime"]


async def outlast_idle_timeout() -> None:
    """Wait until the server has run for twice its idle timeout; fail if the server stops before."""
    end = server_uptime() + 2 * IDLE_TIMEOUT
    await wait_until(lambda: server_uptime() >= end)


async def wait_until_stopped() -> None:
    await wait_until(lambda: "server stopped" in server_log_path().read_text())


async def test_the_starting_client_counts_as_a_client_until_close(
    server: LocalServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "server.py").write_text("raise SystemExit('server of the user')\n")
    monkeypatch.chdir(home)
    monkeypatch.setattr(local_server, "SERVER_COMMAND", SERVER_COMMAND)
    monkeypatch.setenv("CHAT_EXIT_WHEN_IDLE", str(IDLE_TIMEOUT))
    url = await server.start(HOST, 0)
    async with raw_client(url) as ann:
        await ann.join("tea", "ann")
    await outlast_idle_timeout()
    assert await is_chat_server(url)
    (found,) = control_commands.find_servers({})
    assert os.getsid(found.fields["pid"]) == found.fields["pid"] != os.getsid(0)
    server.close()
    await wait_until_stopped()
    assert not await is_chat_server(url)
    assert server_log_path().is_relative_to(home / ".local/state/tui-chat")


@pytest.mark.parametrize(("host", "status"), [(HOST, 201), ("0.0.0.0", 403)])
async def test_registration_is_open_on_loopback_addresses_only(server: LocalServer, host: str, status: int) -> None:
    async with account_api(await server.start(host, 0)) as api:
        assert (await api.register("ann")).status == status


async def test_a_second_client_joins_the_server_with_the_same_database(
    server: LocalServer, unused_tcp_port: int
) -> None:
    await server.start_or_join(HOST, 0)
    second = LocalServer()
    lines = await second.start_or_join(HOST, unused_tcp_port)
    assert second.url == server.url
    assert lines == [f"Joined the server that already runs at {server.url}."]


@pytest.mark.parametrize("database", ["chat.db", "other.db"])
async def test_a_chat_server_on_the_port_is_joined(
    server: LocalServer, home: Path, monkeypatch: pytest.MonkeyPatch, database: str
) -> None:
    monkeypatch.setenv("CHAT_DATABASE", str(home / database))
    async with running_server(home) as running:
        await server.start_or_join(HOST, running.port)
        assert server.url == running.url


async def test_stop_asks_with_other_clients_and_ends_the_process(server: LocalServer) -> None:
    url = await server.start(HOST, 0)
    async with raw_client(url) as ann, raw_client(url) as bob:
        for client, nick in ((ann, "ann"), (bob, "bob")):
            await client.join("tea", nick)
        expected = "1 other is here. Repeat /stop-server to stop the server."
        assert await server.stop(url) == expected
        assert await server.leave() == "2 others are still here; the server keeps running."
        assert await server.stop(url.replace(HOST, "localhost")) == ""
        await bob.wait_closed()
    assert not await is_chat_server(url)
    assert (server.url, await server.leave()) == ("", "")
    with pytest.raises(LocalServerError, match=r"^No server is running with port \d+\.$"):
        await server.stop(url)
    with pytest.raises(LocalServerError, match="only a server on this computer"):
        await server.stop("http://chat.example.org:3000")


async def test_a_lone_client_stops_the_server_without_a_question(server: LocalServer) -> None:
    url = await server.start(HOST, 0)
    async with raw_client(url) as ann:
        await ann.join("tea", "ann")
        assert await server.stop(url) == ""


async def test_a_port_of_another_program_is_reported(server: LocalServer) -> None:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(LocalServerError, match=f"{HOST}:{port} is in use by another program"):
            await server.start_or_join(HOST, port)


async def test_failed_starts_are_reported_as_one_sentence(
    server: LocalServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged, file = home / "damaged.db", home / "file"
    damaged.write_bytes(b"not a database\n" * 1000)
    file.touch()
    for name, value, reason in (
        ("CHAT_LOG_LEVEL", "loud", r"Environment CHAT_LOG_LEVEL: invalid value 'loud' .*"),
        ("CHAT_DATABASE", str(damaged), rf"Cannot open the database {damaged}: not a database"),
        ("CHAT_DATABASE", "/proc/missing/chat.db", r"Cannot open the database /proc/missing/chat\.db: file not found"),
        ("CHAT_LOG_FILE", f"{file}/server.log", rf"{file}/server\.log: Not a directory"),
        ("XDG_STATE_HOME", str(file), rf"{file}/tui-chat.*: Not a directory"),
        ("PYTHONHOME", str(home / "missing"), r"The server failed to start; see .*chat-server\.log"),
    ):
        with monkeypatch.context() as environment:
            environment.setenv(name, value)
            if name == "PYTHONHOME":
                environment.setattr(local_server, "SERVER_COMMAND", SERVER_COMMAND)
            with pytest.raises(LocalServerError, match=f"^{reason}\\.$"):
                await server.start_or_join(HOST, 0)
    monkeypatch.setattr(local_server, "SERVER_COMMAND", (str(file),))
    with pytest.raises(LocalServerError, match=f"^{file}: Permission denied\\.$"):
        await server.start_or_join(HOST, 0)


async def test_a_server_process_without_a_start_report_is_reported_after_the_time_limit(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_server, "SERVER_COMMAND", (sys.executable, "-c", "import sys; sys.stdin.read()"))
    monkeypatch.setattr(local_server, "_REPORT_TIMEOUT", 0.1)
    with pytest.raises(LocalServerError, match="The server failed to start; see "):
        await server.start_or_join(HOST, 0)


async def test_a_full_disk_is_reported_as_one_sentence(
    server: LocalServer, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path, 16_384) as disk:
        monkeypatch.setenv("CHAT_DATABASE", str(disk / "chat.db"))
        with pytest.raises(
            LocalServerError, match=r"^Cannot open the database .*: (no space left on device|disk I/O error)\.$"
        ):
            await server.start_or_join(HOST, 0)


async def test_a_database_locked_by_an_unreachable_server_is_reported_after_the_retries(
    server: LocalServer, home: Path, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_server, "_START_TIMEOUT", 0.1)
    monkeypatch.setenv("CHAT_DATABASE", str(home / "chat.db"))
    async with running_server(home):
        with pytest.raises(LocalServerError, match=r"in use by another chat-server\.$"):
            await server.start_or_join(HOST, unused_tcp_port)


CLIENT = """
import asyncio, time
from tui_chat.local_server import LocalServer
server = LocalServer()
print(asyncio.run(server.start("127.0.0.1", 0)), flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("kill_signal", [signal.SIGKILL, signal.SIGTERM])
async def test_the_server_outlives_a_killed_client_until_its_idle_timeout(
    home: Path, monkeypatch: pytest.MonkeyPatch, kill_signal: signal.Signals
) -> None:
    monkeypatch.setenv("CHAT_EXIT_WHEN_IDLE", str(IDLE_TIMEOUT))
    script = home / "client.py"
    script.write_text(CLIENT)
    client = await start_program((sys.executable, str(script)), os.environ, stdout=PIPE)
    assert client.stdout is not None
    url = (await asyncio.wait_for(client.stdout.readline(), TIMEOUT)).decode().strip()
    async with raw_client(url) as ann:
        await ann.join("tea", "ann")
        client.send_signal(kill_signal)
        await client.wait()
        await outlast_idle_timeout()
        assert (await ann.request("sendMessage", {"room": "tea", "message": "still here"}))["ok"]
    await wait_until_stopped()
