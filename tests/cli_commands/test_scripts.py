"""Commands `send`, `tail` and `who` of `chat-tui` in real processes with pipes."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from server.app import RunningServer
from tests.support.hostile_server import hostile_server
from tests.support.raw_client import raw_client
from tests.support.server_process import server_process
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.cli_commands import commands
from tui_chat.cli_commands.room_visit import CliTarget, open_sender
from tui_chat.client.client import ChatClient
from tui_chat.client.events import MembersChanged, NoticeReceived
from tui_chat.client.room import Room
from tui_chat.protocol.limits import MESSAGE_CHARACTERS
from tui_chat.session.store import profile

TIMEOUT = 20.0


@asynccontextmanager
async def start_command(home: Path, *args: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CHAT_", "XDG_", "LC_"))}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui_chat", *args),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=inherited | {"HOME": str(home), "LANG": "C.UTF-8"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def run_command(home: Path, *args: str, stdin: str | bytes = "") -> tuple[int, str, str]:
    """Run a command to completion and return (exit code, stdout, stderr)."""
    async with start_command(home, *args) as process, asyncio.timeout(TIMEOUT):
        output, errors = await process.communicate(stdin.encode() if isinstance(stdin, str) else stdin)
        assert process.returncode is not None
        return process.returncode, output.decode(), errors.decode()


async def read_line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(TIMEOUT):
        return (await process.stdout.readline()).decode()


async def test_tail_prints_sent_messages(server: RunningServer, tmp_path: Path) -> None:
    room_args = ("--server", server.url, "--room", "tea")
    assert await run_command(tmp_path, "send", *room_args, "--nick", "小明", "the", "kettle 🫖") == (0, "", "")
    assert (await run_command(tmp_path, "send", *room_args, "--nick", "ann", stdin="two\nrows\n"))[0] == 0
    code, output, errors = await run_command(tmp_path, "tail", *room_args, "--no-follow")
    assert (code, errors) == (0, "")
    first, second, third = output.splitlines()
    assert first.endswith(" 小明: the kettle 🫖")
    assert second.endswith(" ann: two")
    assert third == "    rows"


async def test_send_lines_posts_and_acknowledges_each_line(server: RunningServer, tmp_path: Path) -> None:
    async with start_command(tmp_path, "send", "--room", "tea", "--server", server.url, "--lines", "--json") as process:
        assert process.stdin is not None
        process.stdin.write(b"one\n\n")
        assert json.loads(await read_line(process))["seq"] == 1
        process.stdin.write(b"two")
        process.stdin.close()
        assert json.loads(await read_line(process))["seq"] == 2
        async with asyncio.timeout(TIMEOUT):
            assert await process.wait() == 0
    _, output, _ = await run_command(tmp_path, "tail", "--server", server.url, "--room", "tea", "--no-follow", "--json")
    assert [json.loads(line)["message"] for line in output.splitlines()] == ["one", "two"]


NOT_TEXT = "chat-tui: warning: the input is not utf-8 text; invalid characters are replaced\n"


async def test_send_cleans_its_text(server: RunningServer, tmp_path: Path) -> None:
    colored = "\x1b[1;31mred\x1b[0m \x1b]8;;https://a.example\x1b\\link\x1b]8;;\x07 \x1b(Bend \x1b[?25l\x9b2K[x]"
    sent: list[str] = []
    for words, stdin, expected, warning in (
        ((), "\ufeffone\r\ntwo\r\n", ["one\ntwo"], ""),
        (("-",), "from input\r\n", ["from input"], ""),
        (("-", "-"), "unused", ["- -"], ""),
        ((colored,), "", ["red link end [x]"], ""),
        ((), colored, ["red link end [x]"], ""),
        (("ends\r\n",), "", ["ends"], ""),
        (("--lines", "a\r\n\r\nb"), "unused", ["a", "b"], ""),
        (("--lines",), f"\ufeff\x1b[32m{'x' * 10}\x1b[m\r\ny\r\n", ["x" * 10, "y"], ""),
        ((), b"\x89PNG\r\n\xff", ["\ufffdPNG\n\ufffd"], NOT_TEXT),
        (("--lines",), "seen\n\u3164\u200b\n\u2800\n", ["seen"], ""),
        (("--lines",), b"\xff\n\xfe\n", ["\ufffd", "\ufffd"], NOT_TEXT),
        ((), "a\0b", ["ab"], NOT_TEXT),
        ((), "valid \ufffd", ["valid \ufffd"], ""),
    ):
        args = ("send", "--room", "tea", "--server", server.url, *words)
        assert await run_command(tmp_path, *args, stdin=stdin) == (0, "", warning), (words, stdin)
        sent += expected
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann", limit=100)
        assert [message.message for message in room.log.messages()] == sent


async def test_an_invisible_message_is_rejected(server: RunningServer, tmp_path: Path) -> None:
    for words, stdin in ((("\u3164\u2800",), ""), ((), "\u00ad\u200b\n")):
        code, output, errors = await run_command(
            tmp_path, "send", "--room", "tea", "--server", server.url, *words, stdin=stdin
        )
        assert (code, output, errors) == (1, "", "chat-tui: A message cannot be empty.\n")


async def test_unreadable_input_is_reported(server: RunningServer, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", 'exec "$@" 0>/dev/null', "sh"),
        *(sys.executable, "-m", "tui_chat", "send", "--room", "tea", "--server", server.url),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    _, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert (process.returncode, errors) == (74, b"chat-tui: cannot read standard input: Bad file descriptor\n")


async def test_ctrl_c_ends_send_during_a_read(server: RunningServer, tmp_path: Path) -> None:
    for flags in ((), ("--lines",)):
        async with terminal((*CHAT_TUI, "send", "--room", "tea", "--server", server.url, *flags), tmp_path) as tty:
            await tty.wait_for_text("Type a message")
            tty.write_keys("\x03")
            assert await tty.wait_closed() == 130


async def test_rejected_lines_are_reported_and_the_others_are_sent(server: RunningServer, tmp_path: Path) -> None:
    stdin = f"one\n{'x' * (MESSAGE_CHARACTERS + 1)}\n{'y' * 200_000}\nfour\n"
    code, output, errors = await run_command(
        tmp_path, "send", "--room", "tea", "--server", server.url, "--lines", "--json", stdin=stdin
    )
    assert code == 1
    assert len(output.splitlines()) == 2
    assert [line[:16] for line in errors.splitlines()] == ["chat-tui: line 2", "chat-tui: line 3"]


async def test_an_overlong_message_is_rejected(server: RunningServer, tmp_path: Path) -> None:
    room_args = ("--server", server.url, "--room", "tea")
    code, _, errors = await run_command(tmp_path, "send", *room_args, stdin="x" * (MESSAGE_CHARACTERS + 1))
    assert code == 1
    assert errors.startswith("chat-tui: A message can have at most 4,000 characters")
    assert await run_command(tmp_path, "tail", *room_args, "--no-follow") == (0, "", "")


async def test_tail_follows_until_interrupted(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("before")
        async with start_command(tmp_path, "tail", "--room", "tea", "--server", server.url, "--lines", "1") as process:
            assert (await read_line(process)).endswith("ann: before\n")
            sent = await room.send("after\n2026-11-20 00:00:00 bob: not me")
            assert (await read_line(process)).endswith("ann: after\n")
            assert await read_line(process) == "    2026-11-20 00:00:00 bob: not me\n"
            await room.react(sent.seq, "👍")
            assert (await read_line(process)).endswith("* ann reacted with 👍\n")
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(TIMEOUT):
                _, errors = await process.communicate()
            assert (process.returncode, errors) == (130, b"")


async def test_tail_prints_the_only_message_before_other_entries(
    server: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("before")
        await room.set_topic("green")
        target = CliTarget(server=server.url, room="tea", nick="bob", timeout=TIMEOUT, state_dir=tmp_path)
        await commands.tail(target, 1, follow=False, as_json=False)
    assert capsys.readouterr().out.endswith(" ann: before\n")


async def test_tail_prints_a_message_once_that_arrives_before_older_ones(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load_older = Room.load_older

    async def load_older_after_a_push(room: Room) -> bool:
        sent = await author.send("pushed during the load")
        await wait_until(lambda: room.log.last == sent.seq)
        return await load_older(room, limit=1)

    monkeypatch.setattr(Room, "load_older", load_older_after_a_push)
    target = CliTarget(server=server.url, room="tea", nick="bob", timeout=TIMEOUT, state_dir=tmp_path)
    async with ChatClient(server.url) as chat:
        author = await chat.join("tea", nick="ann")
        await author.send("oldest")
        await author.send("before")
        await author.set_topic("green")
        following = asyncio.create_task(commands.tail(target, 1, follow=True, as_json=False))
        output = ""

        def was_printed(text: str) -> bool:
            nonlocal output
            output += capsys.readouterr().out
            return text in output

        await wait_until(lambda: was_printed("pushed during the load"))
        await author.send("after")
        await wait_until(lambda: was_printed("after"))
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert [line.split("ann: ")[1] for line in output.splitlines()] == ["before", "pushed during the load", "after"]


async def test_a_closed_output_pipe_ends_tail_without_an_error(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("before")
        read_fd, write_fd = os.pipe()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tui_chat", "tail", "--room", "tea", "--server", server.url),
            stdout=write_fd,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "HOME": str(tmp_path)},
        )
        os.close(write_fd)
        assert b"before" in await asyncio.to_thread(os.read, read_fd, 1000)
        os.close(read_fd)
        await room.send("nobody reads this")
        async with asyncio.timeout(TIMEOUT):
            _, errors = await process.communicate()
        assert (process.returncode, errors) == (141, b"")


async def test_the_commands_are_invisible_and_lines_share_one_nickname(server: RunningServer, tmp_path: Path) -> None:
    room_args = ("--server", server.url, "--room", "tea")
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="bot")
        events = chat.events()
        args = ("send", *room_args, "--nick", "bot", "--lines", "--json")
        _, output, _ = await run_command(tmp_path, *args, stdin="one\ntwo\n")
        assert [json.loads(line)["room"] for line in output.splitlines()] == ["tea", "tea"]
        assert await run_command(tmp_path, "who", *room_args) == (0, "bot\n", "")
        assert (await run_command(tmp_path, "tail", *room_args, "--no-follow"))[0] == 0
        await wait_until(lambda: len(room.log) == 2)
        assert {message.nick_name for message in room.log.messages()} == {"bot2"}
        await chat.close()
        received = [event async for event in events]
        assert {event.count for event in received if isinstance(event, MembersChanged)} <= {1}
        notices = [event.notice for event in received if isinstance(event, NoticeReceived)]
        assert {notice.member_id for notice in notices} <= {room.member_id}


async def test_tail_reports_a_rename_and_ends_with_the_removal(server: RunningServer, tmp_path: Path) -> None:
    async with raw_client(server.url) as owner:
        room = await owner.request("createRoom", {"name": "green"})
        async with start_command(tmp_path, "tail", "--room", "green", "--server", server.url) as process:
            author = {"nickName": "ann"}
            await owner.request("sendMessage", {"room": "green", "message": "before", "as": author})
            assert (await read_line(process)).endswith("ann: before\n")
            await owner.request("updateRoom", {"id": room["id"], "name": "blue"})
            await owner.request("sendMessage", {"room": "blue", "message": "after", "as": author})
            assert (await read_line(process)).endswith("ann: after\n")
            await owner.request("removeRoom", room["id"])
            async with asyncio.timeout(TIMEOUT):
                _, errors = await process.communicate()
            assert process.returncode == 1
            assert errors.decode().splitlines() == [
                "chat-tui: the room green is now named blue",
                "chat-tui: The room was removed.",
            ]


async def test_servers_without_observers_get_a_visible_join(tmp_path: Path) -> None:
    received: list[str] = []

    async def handle(socket: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any]:
        received.append(event)
        room = {"name": "tea", "topic": "", "logId": "x", "firstSeq": 1, "lastSeq": 0, "visibility": "public"}
        joined: dict[str, Any] = {"room": room, "members": [], "messages": [], "hasMore": False}
        match event:
            case "joinRoom":
                return {"ok": True, **joined, "nickName": body["nickName"], "memberId": "a", "guestKey": "k"}
            case "sendMessage":
                return {"ok": True, "seq": 1, "id": 1, "ts": 1, "duplicate": False}
            case "leaveRoom":
                return {"ok": True}
            case _:
                return {
                    "ok": False,
                    "error": {"code": "bad_request", "reason": "request_unknown", "message": "unknown"},
                }

    async with hostile_server(handle) as port:
        room_args = ("--server", f"127.0.0.1:{port}", "--room", "tea", "--nick", "ann")
        notice = "chat-tui: this server requires a join; joining tea as ann\n"
        for args in (("send", "--lines", "one\ntwo"), ("tail", "--no-follow"), ("who",)):
            assert await run_command(tmp_path, *args, *room_args) == (0, "", notice)
    assert received.count("joinRoom") == 3
    assert received[:4] == ["unobserve", "joinRoom", "sendMessage", "sendMessage"]


async def test_the_who_command_lists_members_without_itself(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as ben:
        await ann.join("tea", nick="ann")
        await ben.join("tea", nick="Ben")
        room_args = ("--server", server.url, "--room", "tea")
        assert await run_command(tmp_path, "who", *room_args) == (0, "ann\nBen\n", "")
        _, output, _ = await run_command(tmp_path, "who", *room_args, "--json")
        assert [json.loads(line)["nickName"] for line in output.splitlines()] == ["ann", "Ben"]


async def test_tail_and_who_mark_confusable_nicknames(server: RunningServer, tmp_path: Path) -> None:
    room_args = ("--server", server.url, "--room", "tea")
    async with ChatClient(server.url) as ann, ChatClient(server.url) as impostor:
        await ann.join("tea", nick="Ann")
        room = await impostor.join("tea", nick="\u0410nn")
        await room.send("trust me")
        _, output, _ = await run_command(tmp_path, "who", *room_args)
        assert output == "Ann\n\u0410nn\t(look-alike)\n"
        _, output, _ = await run_command(tmp_path, "who", "--json", *room_args)
        assert [json.loads(line).get("confusable") for line in output.splitlines()] == [None, True]
        _, output, _ = await run_command(tmp_path, "tail", "--no-follow", *room_args)
        assert output.endswith(" \u0410nn (look-alike): trust me\n")
        _, output, _ = await run_command(tmp_path, "tail", "--no-follow", "--json", *room_args)
        assert json.loads(output)["confusable"] is True


async def test_consecutive_runs_use_one_member_id(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        for text in ("one", "two"):
            args = ("send", "--room", "tea", "--server", server.url, "--nick", "bot", text)
            assert (await run_command(tmp_path, *args))[0] == 0
        await wait_until(lambda: len(list(room.log.messages())) == 2)
        first, second = room.log.messages()
        assert first.member_id == second.member_id
        assert (first.nick_name, second.nick_name) == ("bot", "bot")


async def test_a_new_guest_key_is_saved_once(server: RunningServer, tmp_path: Path) -> None:
    profile_path = tmp_path / profile.FILE_NAME
    async with open_sender(CliTarget(server.url, "tea", "ann", TIMEOUT, tmp_path)) as sender:
        await sender.send("one")
        profile_path.unlink()
        await sender.send("two")
    assert not profile_path.exists()


@pytest.mark.parametrize(
    ("args", "code", "problem"),
    [
        (("send", "--room", "tea", "--server", "127.0.0.1:1", "hello"), 69, "No server at this address"),
        (("send", "hello"), 2, "no room given"),
        (("send", "--room", "tea", "--server", "ftp://x", "hello"), 2, "Unknown scheme"),
        (("tail", "--room", "tea", "--nick", "\x07"), 2, "A nickname cannot contain U+0007"),
        (("tail", "--room", "tea", "--lines", "many"), 2, "argument --lines: the number of messages"),
        (("who", "--romm", "tea"), 2, "unrecognized arguments: --romm"),
        (("send", "--room", "tea", "--timeout", "0"), 2, "the timeout must be a number of seconds"),
    ],
)
async def test_errors_print_one_line_and_set_the_exit_code(
    args: tuple[str, ...], code: int, problem: str, tmp_path: Path
) -> None:
    exit_code, output, errors = await run_command(tmp_path, *args)
    assert (exit_code, output) == (code, "")
    assert problem in errors
    assert len(errors.splitlines()) == 1


async def test_a_line_sent_during_a_disconnect_is_posted_once(tmp_path: Path) -> None:
    flags = ("--database", str(tmp_path / "chat.db"))
    async with server_process(tmp_path, *flags) as first:
        room_args = ("--server", first.url, "--room", "tea")
        async with start_command(tmp_path, "send", *room_args, "--lines", "--json") as process:
            assert process.stdin is not None
            process.stdin.write(b"before\n")
            assert json.loads(await read_line(process))["seq"] == 1
            first.process.kill()
            await first.wait_closed()
            process.stdin.write(b"during\n")
            async with server_process(tmp_path, *flags, "--port", str(first.port)):
                assert json.loads(await read_line(process))["seq"] == 2
                process.stdin.close()
                async with asyncio.timeout(TIMEOUT):
                    assert await process.wait() == 0
                _, output, _ = await run_command(tmp_path, "tail", *room_args, "--no-follow", "--json")
                assert [json.loads(line)["message"] for line in output.splitlines()] == ["before", "during"]


async def test_help_uses_the_requested_language(tmp_path: Path) -> None:
    _, output, _ = await run_command(tmp_path, "tail", "--lang", "zh", "--help")
    assert "先打印多少条消息（10）" in output
