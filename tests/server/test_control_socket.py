"""Control socket, `chat-server status` and `chat-server stop`, and the idle timeout of a managed server."""

import asyncio
import json
import shutil
import signal
import socket
import stat
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from server import control_commands, control_socket
from server.control_socket import serve_control_socket
from tests.support.environment import program_environment
from tests.support.program import PIPE, start_program
from tests.support.raw_client import raw_client
from tests.support.server_process import DATABASE, SERVER_COMMAND, ServerProcess, run_server, server_process
from tests.support.wait import TIMEOUT, wait_until


@pytest.fixture
async def server(home: Path) -> AsyncGenerator[ServerProcess]:
    async with server_process(home) as running:
        yield running


def sockets(home: Path) -> list[Path]:
    return sorted((home / ".local/state/tui-chat/run").iterdir())


async def test_status_reports_counts_and_stop_waits_for_the_exit(home: Path, server: ServerProcess) -> None:
    (path,) = sockets(home)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    async with raw_client(server.url) as ann:
        await ann.join("tea", "ann")
        code, output, errors = await run_server(home, "status", "--json")
        assert (code, errors) == (0, "")
        status = json.loads(output)
        counts = (status["connections"], status["rooms"], status["members"])
        assert counts == (1, 1, 1)
        assert (status["url"], status["port"], status["pid"]) == (server.url, server.port, server.process.pid)
        assert status["database"] == str(home / DATABASE)
        assert 0 < status["uptime"] < 60
        code, output, _ = await run_server(home, "status")
        assert code == 0
        assert output.startswith(
            f"chat-server {status['version']} at {server.url}\n  pid          {server.process.pid}\n"
        )
    code, output, _ = await run_server(home, "stop", "--port", str(server.port))
    assert (code, output) == (0, f"stopped {server.url} (pid {server.process.pid})\n")
    assert (await server.wait_closed())[0] == 0
    assert sockets(home) == []
    assert await run_server(home, "status") == (69, "", "chat-server: no server is running\n")


async def test_several_servers_are_selected_by_port_or_database(home: Path, server: ServerProcess) -> None:
    database = str(home / "other.db")
    async with server_process(home, "--database", database) as other:
        code, output, errors = await run_server(home, "stop")
        assert (code, output) == (2, "")
        assert errors.startswith("chat-server: several servers are running: ")
        assert errors.endswith("; select one with --port or --database\n")
        assert server.url in errors
        assert other.url in errors
        (home / "link.db").symlink_to(database)
        code, output, _ = await run_server(home, "status", "--json", "--database", str(home / "link.db"))
        assert json.loads(output)["url"] == other.url
        code, output, _ = await run_server(home, "stop", "--port", str(other.port), "--json")
        assert json.loads(output)["pid"] == other.process.pid
        _, output, _ = await run_server(home, "status", "--json")
        assert json.loads(output)["url"] == server.url
        code, _, errors = await run_server(home, "stop", "--port", "1")
        assert (code, errors) == (69, "chat-server: no server is running with port 1\n")


async def test_the_socket_of_a_killed_server_is_removed(home: Path, server: ServerProcess) -> None:
    server.send_signal(signal.SIGKILL)
    await server.wait_closed()
    assert len(sockets(home)) == 1
    async with server_process(home) as restarted:
        assert [found.fields["url"] for found in control_commands.find_servers({})] == [restarted.url]
        assert len(sockets(home)) == 1


async def test_a_managed_start_on_a_database_in_use_reports_the_running_server(
    home: Path, server: ServerProcess
) -> None:
    code, output, _ = await run_server(home, "--managed", "--port", "0")
    report = json.loads(output)
    assert (code, report["code"], report["runningUrl"]) == (2, "databaseInUse", server.url)


async def exchange(path: Path, *lines: bytes) -> list[dict[str, Any]]:
    """Send lines over one connection and return the responses."""

    def send() -> list[dict[str, Any]]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(TIMEOUT)
            connection.connect(str(path))
            connection.sendall(b"".join(lines))
            with connection.makefile("rb") as file:
                return [json.loads(line) for _, line in zip(lines, file, strict=False)]

    return await asyncio.to_thread(send)


async def test_an_invalid_request_or_failing_handler_does_not_end_the_connection(
    home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def add(request: Any) -> dict[str, Any]:
        return {"sum": request["a"] + request["b"]}

    async with serve_control_socket({"add": add}):
        (path,) = sockets(home)
        requests = (
            b'{"\xff":1}\n',
            b"[1]\n",
            b"nonsense\n",
            b'{"command":"sub"}\n',
            b'{"command":["add"]}\n',
            b'{"command":"add"}\n',
        )
        *rejected, accepted = await exchange(path, *requests, b'{"command":"add","a":1,"b":2}\n')
        assert [response["ok"] for response in rejected] == [False] * 6
        assert rejected[3]["error"] == "unknown command 'sub'"
        assert rejected[5]["error"] == "internal error; see the log of the server"
        assert accepted == {"ok": True, "sum": 3}
        assert caplog.text.count("failed with an internal error") == 1
        too_long = {"ok": False, "error": "the request is too long"}
        assert await exchange(path, b"x" * 100_000 + b"\n") == [too_long]
    assert sockets(home) == []


async def test_an_incompatible_server_is_reported_and_skipped(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = {"version": "9", "url": "http://host:1", "port": 1, "pid": 1, "uptime": 1.5, "connections": 0}

    async def get_status(_: Any) -> dict[str, Any]:
        return status

    async def stop(_: Any) -> dict[str, Any]:
        return {}

    async with serve_control_socket({"status": get_status, "stop": stop}):
        assert await asyncio.to_thread(control_commands.find_servers, {"database": "chat.db"}) == []
        errors = capsys.readouterr().err
        assert errors.startswith(f"chat-server: incompatible response of the server at {sockets(home)[0]}: ")
        assert "missing required field `rooms`" in errors
        status.update(rooms=0, members=0, database="chat.db")
        with pytest.raises(control_commands.ControlError, match="incompatible response of http://host:1"):
            await asyncio.to_thread(control_commands.run, "stop", {}, as_json=False)


async def test_a_removed_runtime_directory_is_replaced_by_the_state_directory(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_socket, "REPUBLISH_INTERVAL", 0.01)
    runtime_dir = home / "run"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime_dir))
    async with serve_control_socket({}):
        shutil.rmtree(runtime_dir)
        runtime_dir.touch()
        await wait_until(lambda: (home / ".local/state/tui-chat/run").exists() and sockets(home))
        await wait_until(lambda: sockets(home)[0].suffix == ".sock")
        assert await exchange(sockets(home)[0], b"{}\n") == [{"ok": False, "error": "unknown command None"}]
    assert sockets(home) == []


async def test_a_failed_publication_is_repeated_and_logged_once(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control_socket, "REPUBLISH_INTERVAL", 0.01)
    state_dir = home / ".local/state/tui-chat"
    state_dir.parent.mkdir(parents=True, exist_ok=True)
    state_dir.touch()
    attempts = 0
    open_listener = control_socket._open_listener  # pyright: ignore[reportPrivateUsage]

    def count_attempt() -> tuple[Path, socket.socket]:
        nonlocal attempts
        attempts += 1
        return open_listener()

    monkeypatch.setattr(control_socket, "_open_listener", count_attempt)
    async with serve_control_socket({}):
        await wait_until(lambda: attempts > 2)
        state_dir.unlink()
        await wait_until(lambda: (state_dir / "run").exists() and sockets(home)[0].suffix == ".sock")
    assert caplog.text.count("control socket not created") == 1


async def test_the_socket_file_is_replaced_after_an_unexpected_error_of_its_check(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control_socket, "REPUBLISH_INTERVAL", 0.01)
    open_listener, errors = control_socket._open_listener, [RuntimeError("check")]  # pyright: ignore[reportPrivateUsage]
    async with serve_control_socket({}):

        def fail_once() -> tuple[Path, socket.socket]:
            if errors:
                raise errors.pop()
            return open_listener()

        monkeypatch.setattr(control_socket, "_open_listener", fail_once)
        sockets(home)[0].unlink()
        await wait_until(lambda: any(path.suffix == ".sock" for path in sockets(home)))
        assert await exchange(sockets(home)[0], b"{}\n") == [{"ok": False, "error": "unknown command None"}]
    assert caplog.text.count("check of the control socket failed") == 1


async def test_a_cancelled_start_leaves_no_socket(home: Path) -> None:
    async def serve() -> None:
        async with serve_control_socket({}):
            raise AssertionError("the start was not cancelled")

    task = asyncio.create_task(serve())
    await asyncio.sleep(0)  # the task listens and waits for the next tick of the event loop
    assert len(sockets(home)) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sockets(home) == []


async def test_a_failure_after_the_bind_leaves_no_temporary_socket(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: Path, _target: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "rename", fail)
    async with serve_control_socket({}):
        assert sockets(home) == []


async def test_the_runtime_directory_is_preferred_to_the_state_directory(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    async with serve_control_socket({}):
        (path,) = (home / "run/tui-chat").iterdir()
        assert await exchange(path, b"{}\n") == [{"ok": False, "error": "unknown command None"}]
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/proc/missing")
    async with serve_control_socket({}):
        assert len(sockets(home)) == 1
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/missing")
    async with serve_control_socket({}):
        assert "control socket not created" in caplog.text


def test_status_is_rejected_on_a_system_without_unix_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(
        control_commands.ControlError, match="status needs Unix sockets, which this system does not have"
    ):
        control_commands.run("status", {}, as_json=False)


async def test_the_idle_timeout_begins_after_the_last_client(home: Path) -> None:
    command = (sys.executable, *SERVER_COMMAND, "--managed", "--port", "0", "--exit-when-idle", "0.5")
    process = await start_program(command, program_environment(home), stdin=PIPE, stdout=PIPE, stderr=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    url = json.loads(await asyncio.wait_for(process.stdout.readline(), TIMEOUT))["url"]
    async with raw_client(url) as ann, raw_client(url) as bob:
        await ann.join("tea", "ann")
        process.stdin.close()  # the timeout does not begin before the end of the input
        bob.abort()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.wait(), 1.0)
    _, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert process.returncode == 0
    assert b"no clients for 0.5 seconds" in errors
    assert b"Traceback" not in errors
