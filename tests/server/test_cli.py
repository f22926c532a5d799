"""Command line of `chat-server`: start, shutdown, exit codes and logs of real processes."""

import asyncio
import json
import signal
import socket
import sqlite3
import ssl
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from tests.support.environment import program_environment
from tests.support.program import PIPE, start_program
from tests.support.raw_client import raw_client
from tests.support.server_process import run_server, server_process
from tests.support.wait import TIMEOUT


async def test_startup_prints_the_url_and_the_join_command(tmp_path: Path) -> None:
    async with server_process(tmp_path) as server:
        assert f"chat-tui {server.url}" in server.ready_line
        assert f"browser: {server.url}/" in server.ready_line
        async with aiohttp.ClientSession() as session, session.get(server.url + "/ready") as response:
            assert await response.json() == {"status": "ready"}


def has_ipv6_loopback() -> bool:
    """Return whether this machine has the address ::1."""
    with suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


async def test_an_empty_listen_address_opens_one_port_for_ipv4_and_ipv6(tmp_path: Path) -> None:
    async with server_process(tmp_path, "--host", "") as server, aiohttp.ClientSession() as session:
        assert server.url == f"http://127.0.0.1:{server.port}"
        for host in ("127.0.0.1", *(["[::1]"] if has_ipv6_loopback() else [])):
            async with session.get(f"http://{host}:{server.port}/health") as response:
                assert response.status == 200


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_signal_sends_going_away_saves_messages_and_exits_with_0(
    tmp_path: Path, stop_signal: signal.Signals
) -> None:
    async with server_process(tmp_path) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        for ack in range(8):
            await ann.ws.send_str(f'42{500 + ack}["sendMessage",{{"room":"tea","message":"{ack}"}}]')
        responses = [await ann.read_response(500 + ack) for ack in range(8)]
        server.send_signal(stop_signal)
        assert (await ann.wait_for_push("goingAway"))["reconnectAfter"] > 0
        await ann.wait_closed()
        code, errors = await server.wait_closed()
        assert code == 0
        assert "Traceback" not in errors
    async with server_process(tmp_path) as server, raw_client(server.url) as bob:
        joined = await bob.join("tea", "bob")
        assert [entry["seq"] for entry in joined["messages"]] == [response["seq"] for response in responses]


async def test_a_client_that_does_not_read_does_not_prevent_the_shutdown(tmp_path: Path) -> None:
    async with server_process(tmp_path, "--rate-limit", "off") as server, raw_client(server.url) as stalled:
        await stalled.join("tea", "stalled")
        body = json.dumps(["sendMessage", {"room": "tea", "message": "x" * 4000}])
        for _ in range(300):
            await stalled.ws.send_str("42" + body)
        server.send_signal(signal.SIGTERM)
        code, _ = await server.wait_closed()  # fails before the ping timeout of the client
        assert code == 0


async def test_files_are_private_and_in_the_data_directory_of_the_user(tmp_path: Path) -> None:
    async with server_process(tmp_path) as server, raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        await ann.request("sendMessage", {"room": "tea", "message": "hi"})
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert files
        for file in files:
            assert file.parent == tmp_path / ".local/share/tui-chat"
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        server.send_signal(signal.SIGTERM)
        await server.wait_closed()


async def test_the_log_contains_no_message_text_and_no_guest_key(tmp_path: Path) -> None:
    async with server_process(tmp_path, "--log-level", "debug", "--log-format", "json") as server:
        async with raw_client(server.url) as ann:
            joined = await ann.join("tea", "ann")
            await ann.request("sendMessage", {"room": "tea", "message": "a-secret-text"})
            await ann.request("sendMessage", {"room": "tea", "message": "a-secret-text" * 1000})
            await ann.ws.send_str('42["sendMessage",{"room":"tea","message":"a-secret-text"')
            await ann.wait_closed()
        server.send_signal(signal.SIGTERM)
        code, errors = await server.wait_closed()
    assert code == 0
    assert "a-secret-text" not in errors
    assert joined["guestKey"] not in errors
    assert "Traceback" not in errors
    for line in errors.splitlines():
        assert {"time", "level", "logger", "message"} <= set(json.loads(line))


async def test_a_database_in_use_is_rejected_until_its_server_is_killed(tmp_path: Path) -> None:
    database = ("--database", str(tmp_path / "chat.db"))
    async with server_process(tmp_path, *database) as first:
        (tmp_path / "symbolic.db").symlink_to(tmp_path / "chat.db")
        (tmp_path / "hard.db").hardlink_to(tmp_path / "chat.db")
        for name in ("chat.db", "symbolic.db", "hard.db"):
            code, _, errors = await run_server(tmp_path, "--port", "0", "--database", str(tmp_path / name))
            assert code == 2
            assert errors.endswith(f"{name}: in use by another chat-server\n")
        first.process.kill()
        await first.wait_closed()
    async with server_process(tmp_path, *database) as third:
        assert third.url


async def test_a_port_in_use_prints_one_line_and_exits_with_2(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        code, output, errors = await run_server(tmp_path, "--port", str(port))
    assert (code, output) == (2, "")
    assert errors.startswith(f"chat-server: cannot listen on 127.0.0.1 port {port}:")
    assert errors.count("\n") == 1


async def test_a_managed_server_reports_its_url_and_stops_at_the_end_of_its_input(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "server", "--managed", "--port", "0")
    process = await start_program(command, program_environment(tmp_path), stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    report = json.loads(await asyncio.wait_for(process.stdout.readline(), TIMEOUT))
    async with aiohttp.ClientSession() as session, session.get(f"{report['url']}/ready") as response:
        assert response.status == 200
    process.stdin.write(b"ignored\n")
    process.stdin.close()
    output, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert (process.returncode, output) == (0, b"")
    assert b"server stopped" in errors


async def test_a_managed_server_reports_a_failed_start_with_a_code(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        used_port = str(listener.getsockname()[1])
        for flags, code, reason in (
            (("--port", used_port), "portInUse", f"cannot listen on 127.0.0.1 port {used_port}: "),
            (("--port", "x"), "startFailed", "command line: invalid value 'x' for port"),
        ):
            exit_code, output, _ = await run_server(tmp_path, "--managed", *flags)
            report = json.loads(output)
            assert (exit_code, report["code"]) == (2, code)
            assert report["error"].startswith(reason)


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--port", "x"], "invalid value 'x' for port (expected int from 0 to 65535)"),
        (["--port", "70000"], "invalid value '70000' for port"),
        (["--prot", "1"], "unknown argument --prot; did you mean --port?"),
        (["confg"], "unknown argument confg; did you mean config?"),
        (["--log-levl=info", "status"], "unknown argument --log-levl; did you mean --log-level?"),
        (["status", "--jsn"], "unknown argument --jsn; did you mean --json?"),
        (["status", "all"], "unknown argument all; see "),
        (["--log-level"], "argument --log-level: expected one argument"),
        (["--log-level", "loud"], "invalid value 'loud' for log_level"),
        (["--config", "MISSING"], "No such file or directory"),
        (["--config", "BROKEN"], "BROKEN:"),
        (["--config", "UNKNOWN"], "UNKNOWN: unknown setting 'prot'; did you mean port?"),
        (["--database", "GARBAGE"], "GARBAGE"),
        (["--database", "FOLDER"], "FOLDER"),
        (["--database", "OTHER"], "created by another version of chat-server; start with a new --database, or use the"),
        (["--tls-cert", "MISSING"], "tls_cert and tls_key: set both or neither"),
        (["--tls-cert", "MISSING", "--tls-key", "MISSING"], "No such file or directory"),
        (["--tls-cert", "BROKEN", "--tls-key", "BROKEN"], "invalid certificate or private key"),
        (["--trusted-proxy", "nowhere"], "trusted_proxy: 'nowhere' is neither an address nor a network"),
        (["--trusted-proxy", "127.0.0.1/8"], "'127.0.0.1/8' has host bits set; did you mean 127.0.0.0/8?"),
        (["--cors-origin", "*"], "cors_origin: '*' would allow every website"),
        (["--cors-origin", "localhost:5500"], "cors_origin: 'localhost:5500' is not an origin"),
        (["--cors-origin", "http://a.example/page"], "is not an origin"),
        (["--cors-origin", "http://a.example:99999"], "is not an origin"),
        (["--pages", "MISSING"], "does not exist"),
        (["--pages", "BROKEN"], "is not a directory"),
        (["--pages", "x" * 300], "File name too long"),
        (["--pages-fallback", "index.html"], "pages_fallback: requires pages"),
        (["--pages", "FOLDER", "--pages-fallback", "index.html"], "pages_fallback: index.html does not exist"),
        (["--conversations", "perhaps"], "unknown argument perhaps"),
        (["--time-zone", "Moon/Crater"], "unknown zone 'Moon/Crater'"),
        (["--time-zone", "../etc"], "unknown zone '../etc'"),
        (["--database", ":memory:"], "invalid value ':memory:' for database (expected a file"),
        (["--database", "file:chat.db?mode=memory"], "for database (expected a file"),
        (["--database", "sqlite:chat.db"], "for database (expected a file"),
        (["--database", "sqlite:///:memory:"], "the database URL has no file"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
        (["--host", "no such host"], "cannot listen on no such host"),
    ],
)
async def test_configuration_errors_print_one_line_and_exit_with_2(
    tmp_path: Path, flags: list[str], reason: str
) -> None:
    (tmp_path / "BROKEN").write_text("port = = 3\n")
    (tmp_path / "UNKNOWN").write_text("prot = 3\n")
    (tmp_path / "GARBAGE").write_text("not a database file\n" * 200)
    (tmp_path / "FOLDER").mkdir()
    with sqlite3.connect(tmp_path / "OTHER") as connection:
        connection.executescript("CREATE TABLE rooms (id INTEGER); CREATE TABLE entries (id INTEGER)")
    connection.close()
    names = {"MISSING", "BROKEN", "UNKNOWN", "GARBAGE", "FOLDER", "OTHER"}
    port = [] if "--port" in flags else ["--port", "0"]
    code, output, errors = await run_server(
        tmp_path, *port, *[str(tmp_path / flag) if flag in names else flag for flag in flags]
    )
    assert (code, output) == (2, "")
    assert errors.startswith("chat-server: ")
    assert reason in errors
    assert errors.count("\n") == 1


async def test_config_prints_each_setting_with_its_source(tmp_path: Path) -> None:
    file = tmp_path / "chat.toml"
    file.write_text('port = 4000\nlog_level = "warning"\ncors_origin = ["https://a.example"]\n')
    variables = {"CHAT_LOG_LEVEL": "error", "CHAT_DATABASE": "postgresql://u:hunter2@h/db"}
    _, output, _ = await run_server(tmp_path, "config", "--config", str(file), "--port", "5000", **variables)
    assert "port = 5000  (command line)" in output
    assert "log_level = error  (environment CHAT_LOG_LEVEL)" in output
    assert f"cors_origin = https://a.example  ({file})" in output
    assert "host = 127.0.0.1  (default)" in output
    assert "hunter2" not in output
    assert "message_characters = 4000  (fixed by the protocol)" in output


async def test_a_certificate_enables_tls_for_http_and_websockets(tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    context = ssl.create_default_context()
    authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType]
    async with server_process(tmp_path, "--tls-cert", str(chain), "--tls-key", str(key)) as server:
        assert server.url.startswith("https://")
        connector = aiohttp.TCPConnector(ssl=context)
        async with aiohttp.ClientSession(connector=connector) as session:
            async with session.get(server.url + "/health") as response:
                assert response.status == 200
            socket_url = server.url.replace("https", "wss") + "/socket.io/?EIO=4&transport=websocket"
            async with session.ws_connect(socket_url, headers={"Origin": server.url}) as ws:
                handshake: Any = await ws.receive()
                assert handshake.data.startswith('0{"sid"')
