"""Membership, look-alike marks, errors and help of the commands `send`, `tail` and `who`."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from server.app import RunningServer
from tests.support.cli_command import run_command
from tests.support.environment import program_environment
from tests.support.hostile_server import JOINED, hostile_server
from tests.support.program import PIPE, start_program
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.events import MembersChanged, NoticeReceived


async def test_commands_add_no_member_and_sent_lines_have_one_nickname(server: RunningServer, tmp_path: Path) -> None:
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


FAILING_TASK = """
from tui_chat.cli_commands import room_connection

async def fail(events):
    raise ValueError("by design")

room_connection._report_renames = fail
from tui_chat.cli import main
main()
"""


async def test_an_error_of_a_background_task_is_printed_logged_and_sets_the_exit_code(
    server: RunningServer, command_home: Path
) -> None:
    command = (sys.executable, "-c", FAILING_TASK, "who", "--server", server.url, "--room", "tea")
    process = await start_program(command, program_environment(command_home), stdin=PIPE, stdout=PIPE, stderr=PIPE)
    output, errors = await process.communicate()
    assert (process.returncode, output) == (1, b"")
    assert errors.decode().splitlines() == ["chat-tui: Internal error. See the log for details."]
    assert "ValueError: by design" in next(command_home.rglob("chat-tui.log")).read_text()


async def test_the_commands_join_rooms_of_a_server_without_observation(tmp_path: Path) -> None:
    received: list[str] = []

    async def handle(_: web.WebSocketResponse, event: str, body: dict[str, Any]) -> dict[str, Any]:
        received.append(event)
        match event:
            case "joinRoom":
                return JOINED | {"nickName": body["nickName"], "members": []}
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


async def test_the_who_command_sorts_members_without_regard_to_case(server: RunningServer, tmp_path: Path) -> None:
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


async def test_help_and_rejected_values_use_the_requested_language(tmp_path: Path) -> None:
    _, output, _ = await run_command(tmp_path, "tail", "--lang", "zh", "--help")
    assert "先打印多少条消息（10）" in output
    _, _, errors = await run_command(tmp_path, "--lang", "zh", "--completion", "csh")
    assert "参数 --completion：无效的值 'csh'（可选：" in errors
