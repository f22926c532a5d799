"""Backups and exports with running and stopped servers, selection of the database, and the control socket."""

import argparse
import asyncio
import json
import os
import signal
import sqlite3
import stat
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, closing, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from server import admin_commands, control_commands, control_socket, file_export
from server.administration import open_administration
from server.control_socket import ControlError, serve_control_socket
from server.domain.uploads import UPLOADS_PATH
from server.file_export import FileExport, export_files
from server.settings import ServerSettings
from server.storage.database import open_database
from server.storage.errors import StorageError
from server.storage.sqlite import lock_database
from tests.support.account_api import account_api
from tests.support.environment import program_environment
from tests.support.postgresql import shared_postgresql
from tests.support.program import PIPE, start_program
from tests.support.raw_client import RawClient, raw_client
from tests.support.server_process import DATABASE, SERVER_COMMAND, ServerProcess, run_server, server_process
from tests.support.storage import LOUNGE, ManualClock, build_message
from tests.support.wait import TIMEOUT


@asynccontextmanager
async def join_tea(server: ServerProcess) -> AsyncGenerator[RawClient]:
    async with raw_client(server.url) as ann:
        await ann.join("Tea", "ann")
        yield ann


async def stop(server: ServerProcess) -> None:
    server.send_signal(signal.SIGTERM)
    await server.wait_closed()


async def test_export_prints_the_entries_of_the_protocol_while_the_server_runs_and_after_its_stop(home: Path) -> None:
    async with server_process(home, "--rate-limit", "off") as server:
        async with join_tea(server) as ann:
            await ann.send_messages("Tea", [f"line {number}\nsecond row" for number in range(150)])
            await ann.request("editMessage", {"room": "Tea", "seq": 1, "message": "edited 你好"})
            await ann.request("deleteMessage", {"room": "Tea", "seq": 2})
            await ann.request("react", {"room": "Tea", "seq": 3, "emoji": "👍", "on": True})
            await ann.request("setTopic", {"room": "Tea", "topic": "green"})
            pages = [await ann.request("history", {"room": "Tea", "after": after, "limit": 100}) for after in (0, 100)]
        expected = [entry for page in pages for entry in page["messages"]]
        expected[2]["reactions"]["👍"]["own"] = False
        assert len(expected) == 154
        code, output, errors = await run_server(home, "export", "tea")
        assert (code, errors) == (0, "")
        assert [json.loads(line) for line in output.splitlines()] == expected
        text_options = ("export", "TEA", "--format", "text", "--time-zone", "Asia/Shanghai")
        _, transcript, _ = await run_server(home, *text_options)
        await stop(server)
    assert await run_server(home, "export", "tea") == (0, output, "")
    assert await run_server(home, *text_options) == (0, transcript, "")
    lines = transcript.splitlines()
    assert lines[0].endswith(" ann: edited 你好 (edited)")
    assert lines[1].endswith(" ann: (deleted)")
    assert lines[2].endswith(" ann: line 2")
    assert lines[3] == "    second row"
    assert lines[-1].endswith(" * ann changed the topic to: green")
    assert len(lines) == 1 + 1 + 2 * 148 + 1


async def test_export_writes_a_private_file_and_reports_an_unknown_room(home: Path) -> None:
    async with server_process(home) as server, join_tea(server) as ann:
        await ann.send_messages("Tea", ["hello"])
        target = home / "tea.jsonl"
        export = ("export", "tea", "--output", str(target))
        assert await run_server(home, *export) == (0, f"saved {target} (1 line)\n", "")
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert json.loads(target.read_text())["message"] == "hello"
        exists = f"chat-server: cannot write {target}: the file exists; replace it with --force\n"
        assert await run_server(home, *export) == (2, "", exists)
        code, output, _ = await run_server(home, *export, "--force", "--json")
        assert (code, json.loads(output)) == (0, {"path": str(target), "lines": 1})
        missing = home / "missing.jsonl"
        unknown = await run_server(home, "export", "teaa", "--output", str(missing))
        assert unknown == (2, "", "chat-server: no room teaa; did you mean Tea?\n")
        assert await run_server(home, "export", "~nowhere") == (2, "", "chat-server: no room ~nowhere\n")
        assert not missing.exists()


async def test_export_copies_the_files_of_messages_while_the_server_runs_and_after_its_stop(home: Path) -> None:
    copies = home / "copies"
    export = ("export", "tea", "--output", str(home / "tea.jsonl"), "--files", str(copies))
    async with server_process(home) as server, join_tea(server) as ann, account_api(server.url) as api:
        guest = api.with_headers(Authorization=f"Guest {(await ann.join('Tea', 'ann'))['guestKey']}")
        uploaded = [
            (await guest.request("POST", f"/api/uploads?room=Tea&name={name}", data=content)).body
            for name, content in (("a%20b.txt", b"one"), ("%E8%8C%B6", b"two"))
        ]
        for attachment in uploaded:
            fields = {"room": "Tea", "message": "", "attachments": [attachment["id"]]}
            assert (await ann.request("sendMessage", fields))["ok"]
        code, output, errors = await run_server(home, *export, "--json")
        assert (code, json.loads(output)["files"]) == (0, 2), errors
        first, second = (copies / attachment["id"] / attachment["name"] for attachment in uploaded)
        assert (first.name, second.name) == ("a b.txt", "茶")
        assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")
        assert [stat.S_IMODE(path.stat().st_mode) for path in (first, copies)] == [0o600, 0o700]
        exists = f"chat-server: cannot write {first}: the file exists; replace it with --force\n"
        assert await run_server(home, "export", "tea", *export[4:]) == (2, (home / "tea.jsonl").read_text(), exists)
        await stop(server)
    (stored,) = home.glob(f"{DATABASE}.uploads/{uploaded[1]['id']}/file")
    stored.unlink()
    code, output, errors = await run_server(home, *export, "--force")
    assert (code, errors.splitlines()) == (
        0,
        [
            f"chat-server: {uploaded[1]['path']} is no longer stored",
            f"chat-server: saved 1 file in {copies}",
        ],
    )


def test_the_export_of_files_reads_each_page_once_and_stops_at_the_initial_last_seq(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    requests: list[dict[str, Any]] = []

    def send(command: str, /, **arguments: Any) -> dict[str, Any]:
        requests.append(arguments)
        first = arguments["after"] + 1
        entries = [{"seq": seq, "attachments": [{"path": f"/{seq}"}]} for seq in range(first, first + 3)]
        return {"entries": entries, "lastSeq": 3 + len(requests), "hasMore": True, "uploads": "files"}

    exported: list[str] = []

    def export(attachments: list[dict[str, Any]], location: str, *_: Path, **__: bool) -> FileExport:
        exported.extend((location, *(attachment["path"] for attachment in attachments)))
        return FileExport(len(attachments), ())

    monkeypatch.setattr(admin_commands, "_open_administration", Mock(return_value=nullcontext(send)))
    monkeypatch.setattr(file_export, "export_files", export)
    command = {"command": "export", "room": "tea", "format": "json", "output": None, "files": tmp_path, "force": False}
    admin_commands.run(argparse.Namespace(**command), ServerSettings(database=str(tmp_path / "db")), {})
    assert requests == [{"room": "tea", "after": 0}, {"room": "tea", "after": 3}]
    assert exported == ["files", "/1", "/2", "/3", "/4"]
    assert [json.loads(line)["seq"] for line in capsys.readouterr().out.splitlines()] == [1, 2, 3, 4]


def test_an_unreachable_store_ends_the_export_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ENDPOINT_URL": "http://127.0.0.1:1", "ALLOW_HTTP": "true", "SKIP_SIGNATURE": "true"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    attachments = [{"path": f"{UPLOADS_PATH}/{'a' * 22}/name"}]
    with pytest.raises(ControlError, match=r"^[^\n]*127\.0\.0\.1[^\n]*$"):
        export_files(attachments, "s3://bucket", tmp_path / "copies", overwrite=False)


async def test_an_unusable_output_ends_the_export(home: Path) -> None:
    async with server_process(home) as server, join_tea(server) as ann:
        await ann.send_messages("Tea", ["hello"])
        read_end, closed_pipe = os.pipe()
        os.close(read_end)
        full_disk = os.open("/dev/full", os.O_WRONLY)
        no_space = b"chat-server: cannot write to standard output: No space left on device\n"
        for output, code, message in ((closed_pipe, 141, b""), (full_disk, 74, no_space)):
            command = (sys.executable, *SERVER_COMMAND, "export", "tea")
            process = await start_program(command, program_environment(home), stdout=output, stderr=PIPE)
            os.close(output)
            _, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
            assert (process.returncode, errors) == (code, message)


async def test_a_backup_of_a_running_server_is_restored_by_replacing_the_file(home: Path) -> None:
    backup, database = home / "backup.db", home / DATABASE
    async with server_process(home) as server, join_tea(server) as ann:
        await ann.send_messages("Tea", ["before"])
        log_id = (await ann.request("history", {"room": "Tea", "after": 0}))["logId"]
        code, output, errors = await run_server(home, "backup", str(backup))
        assert (code, output, errors) == (0, f"saved {backup} ({backup.stat().st_size:,} bytes)\n", "")
        assert stat.S_IMODE(backup.stat().st_mode) == 0o600
        await ann.send_messages("Tea", ["after"])
        code, output, errors = await run_server(home, "backup", str(backup))
        assert (code, output) == (2, "")
        assert errors == f"chat-server: cannot write {backup}: the file exists; replace it with --force\n"
        server.process.kill()
        await server.wait_closed()
    database.write_bytes(backup.read_bytes())
    for suffix in ("-wal", "-shm"):
        database.with_name(f"chat.db{suffix}").unlink()
    async with server_process(home) as server, raw_client(server.url) as ben:
        room = await ben.join("Tea", "ben")
        assert [entry["message"] for entry in room["messages"]] == ["before"]
        assert room["room"]["logId"] != log_id


async def test_a_backup_path_is_relative_to_the_working_directory_of_the_command(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with server_process(home) as server:
        monkeypatch.chdir(tmp_path)
        code, output, _ = await run_server(home, "backup", "running.db", "--json")
        path = tmp_path / "running.db"
        assert (code, json.loads(output)) == (0, {"path": str(path), "bytes": path.stat().st_size})
        await stop(server)
    code, output, _ = await run_server(home, "backup", "stopped.db")
    assert (code, output) == (0, f"saved {tmp_path / 'stopped.db'} ({path.stat().st_size:,} bytes)\n")
    assert (tmp_path / "stopped.db").exists()


async def test_the_database_of_the_settings_selects_a_server_or_a_file(home: Path) -> None:
    first, second = str(home / "first.db"), str(home / "second.db")
    async with server_process(home, "--database", first) as server:
        async with join_tea(server) as ann:
            await ann.send_messages("Tea", ["hello"])
        async with server_process(home, "--database", second):
            code, output, errors = await run_server(home, "export", "tea")
            assert (code, output) == (2, "")
            assert errors.startswith("chat-server: several servers are running: ")
            for options, database in (
                (("--database", first), ""),
                (("--port", str(server.port)), ""),
                ((), first),
            ):
                variables = {"CHAT_DATABASE": database} if database else {}
                code, output, errors = await run_server(home, "export", "tea", *options, **variables)
                assert (code, json.loads(output)["message"], errors) == (0, "hello", "")
            unknown = await run_server(home, "export", "tea", "--database", second)
            assert unknown == (2, "", "chat-server: no room tea\n")
        code, output, errors = await run_server(home, "export", "tea", "--port", "1")
        assert (code, output, errors) == (69, "", "chat-server: no server is running with port 1\n")
    missing = home / "missing.db"
    code, output, errors = await run_server(home, "backup", str(home / "copy.db"), "--database", str(missing))
    assert (code, output) == (2, "")
    assert errors == f"chat-server: cannot open the database {missing}: file not found\n"
    assert not missing.exists()
    code, output, errors = await run_server(home, "account", "list", "--database", str(home / ("x" * 300)))
    assert (code, output, errors.count("\n")) == (2, "", 1)


async def test_a_locked_database_without_a_responding_server_is_reported(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin_commands, "LOCK_TIMEOUT", 0.0)
    path = home / "chat.db"
    path.touch()
    arguments = argparse.Namespace(command="backup", path=home / "copy.db", force=False, json=False)
    settings = ServerSettings(database=str(path))
    with lock_database(path), pytest.raises(ControlError, match=r"chat\.db: in use by another chat-server"):
        await asyncio.to_thread(admin_commands.run, arguments, settings, {"database": str(path)})


async def test_a_long_command_sends_empty_lines_and_ends_with_its_connection(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_socket, "KEEPALIVE_INTERVAL", 0.01)
    released, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(_request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            await released.wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return {"done": True}

    def send(path: Path) -> dict[str, Any]:
        with control_commands.connect(path) as connection:
            return connection.request("wait")

    async with serve_control_socket({"wait": wait}):
        (path,) = (home / ".local/state/tui-chat/run").iterdir()
        request = asyncio.create_task(asyncio.to_thread(send, path))
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"command":"wait"}\n')
        assert [await reader.readline() for _ in range(3)] == [b"\n"] * 3
        writer.close()
        await asyncio.wait_for(cancelled.wait(), TIMEOUT)
        released.set()
        assert await request == {"done": True}


async def test_a_database_with_unreadable_accounts_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with open_administration(str(path), "", create=True):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE accounts RENAME COLUMN email TO mail")
    with pytest.raises(StorageError, match="cannot read the accounts: error SQLITE_ERROR"):
        async with open_administration(str(path), "", create=False):
            pass


async def test_postgresql_supports_exports_and_node_commands_and_refers_to_pg_dump_for_backups(tmp_path: Path) -> None:
    postgresql = shared_postgresql()
    with pytest.raises(StorageError, match="the database is empty"):
        async with open_administration(postgresql.url, "", create=False):
            pass
    database = await open_database(postgresql.url, clock=ManualClock())
    await database.journal.append(build_message("hello"))
    await database.close()
    async with open_administration(postgresql.url, "", create=False) as administration:
        response = await administration.handlers["export"]({"room": LOUNGE.name})
        assert [entry.message for entry in response["entries"]] == ["hello"]
        assert await administration.handlers["nodes"]({}) == {"nodes": []}
        with pytest.raises(ControlError, match="no server host:3000; see chat-server nodes"):
            await administration.handlers["drain"]({"node": "host:3000"})
        with pytest.raises(ControlError, match="pg_dump"):
            await administration.handlers["backup"]({"path": str(tmp_path / "copy.db")})
