"""Command `send` of `chat-tui` in real processes with pipes."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from server.app import RunningServer
from tests.support.cli_command import read_line, run_command, start_command
from tests.support.environment import program_environment
from tests.support.free_port import reserved_port
from tests.support.server_process import server_process
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.cli_commands.room_connection import CliTarget, open_sender
from tui_chat.client.client import ChatClient
from tui_chat.protocol.limits import MESSAGE_CHARACTERS
from tui_chat.session.store import profile


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


async def test_send_removes_escape_sequences_line_ends_and_invisible_lines(
    server: RunningServer, tmp_path: Path
) -> None:
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


async def test_undecodable_input_is_reported_with_its_encoding(server: RunningServer, tmp_path: Path) -> None:
    args = ("send", "--room", "tea", "--server", server.url)
    code, _, errors = await run_command(tmp_path, *args, stdin=b"a\xff", PYTHONIOENCODING="gbk")
    assert (code, errors) == (0, NOT_TEXT.replace("utf-8", "gbk"))


async def test_an_invisible_message_is_rejected(server: RunningServer, tmp_path: Path) -> None:
    for words, stdin in ((("\u3164\u2800",), ""), ((), "\u00ad\u200b\n")):
        code, output, errors = await run_command(
            tmp_path, "send", "--room", "tea", "--server", server.url, *words, stdin=stdin
        )
        assert (code, output, errors) == (1, "", "chat-tui: A message cannot be empty.\n")


COLORED_CHARACTER = "\x1b[38;2;100;100;100mx"


async def test_an_overlong_message_is_rejected(server: RunningServer, tmp_path: Path) -> None:
    room_args = ("--server", server.url, "--room", "tea")
    for character in ("x", COLORED_CHARACTER):
        code, _, errors = await run_command(tmp_path, "send", *room_args, stdin=character * (MESSAGE_CHARACTERS + 1))
        assert code == 1
        assert errors.startswith("chat-tui: A message can have at most 4,000 characters")
    assert await run_command(tmp_path, "tail", *room_args, "--no-follow") == (0, "", "")


async def test_rejected_lines_are_reported_and_the_others_are_sent(server: RunningServer, tmp_path: Path) -> None:
    stdin = f"one\n{'x' * (MESSAGE_CHARACTERS + 1)}\n{COLORED_CHARACTER * 10_000}\nfour\n"
    code, output, errors = await run_command(
        tmp_path, "send", "--room", "tea", "--server", server.url, "--lines", "--json", stdin=stdin
    )
    assert code == 1
    assert len(output.splitlines()) == 2
    assert [line[:16] for line in errors.splitlines()] == ["chat-tui: line 2", "chat-tui: line 3"]


async def test_unreadable_input_is_reported(server: RunningServer, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", 'exec "$@" 0>/dev/null', "sh"),
        *(sys.executable, "-m", "tui_chat", "send", "--room", "tea", "--server", server.url),
        stderr=asyncio.subprocess.PIPE,
        env=program_environment(tmp_path),
    )
    _, errors = await asyncio.wait_for(process.communicate(), TIMEOUT)
    assert (process.returncode, errors) == (74, b"chat-tui: cannot read standard input: Bad file descriptor\n")


async def test_ctrl_c_interrupts_send_during_a_read(server: RunningServer, tmp_path: Path) -> None:
    for flags in ((), ("--lines",)):
        async with terminal((*CHAT_TUI, "send", "--room", "tea", "--server", server.url, *flags), tmp_path) as tty:
            await tty.wait_for_text("Type a message")
            tty.write_keys("\x03")
            assert await tty.wait_closed() == 130


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


async def test_a_line_sent_during_a_disconnect_is_posted_once(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        port = stack.enter_context(reserved_port())
        flags = ("--database", str(tmp_path / "chat.db"), "--port", str(port))
        first = await stack.enter_async_context(server_process(tmp_path, *flags))
        room_args = ("--server", first.url, "--room", "tea")
        async with start_command(tmp_path, "send", *room_args, "--lines", "--json") as process:
            assert process.stdin is not None
            process.stdin.write(b"before\n")
            assert json.loads(await read_line(process))["seq"] == 1
            first.process.kill()
            await first.wait_closed()
            process.stdin.write(b"during\n")
            async with server_process(tmp_path, *flags):
                assert json.loads(await read_line(process))["seq"] == 2
                process.stdin.close()
                async with asyncio.timeout(TIMEOUT):
                    assert await process.wait() == 0
                _, output, _ = await run_command(tmp_path, "tail", *room_args, "--no-follow", "--json")
                assert [json.loads(line)["message"] for line in output.splitlines()] == ["before", "during"]


async def test_a_new_guest_key_is_saved_once(server: RunningServer, tmp_path: Path) -> None:
    profile_path = tmp_path / profile.FILE_NAME
    async with open_sender(CliTarget(server.url, "tea", "ann", TIMEOUT, tmp_path)) as sender:
        await sender.send("one")
        profile_path.unlink()
        await sender.send("two")
    assert not profile_path.exists()


async def test_send_uploads_files_with_an_argument_the_input_or_no_text(server: RunningServer, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("hello")
    options = ("--server", server.url, "--room", "tea", "--nick", "ann")
    assert await run_command(tmp_path, "send", *options, "--file", str(file), "see", "this") == (0, "", "")
    assert await run_command(tmp_path, "send", *options, "--file", str(file)) == (0, "", "")
    assert await run_command(tmp_path, "send", *options, "--file", str(file), "-", stdin="input\n") == (0, "", "")
    code, output, _ = await run_command(tmp_path, "tail", *options, "--no-follow")
    lines = [line.split(" ", 2)[2] if line.startswith("20") else line for line in output.splitlines()]
    caption = "[file notes.txt · text/plain · 5 B]"
    assert (code, lines) == (0, ["ann: see this", f"    {caption}", f"ann: {caption}", "ann: input", f"    {caption}"])


async def test_missing_special_and_excess_files_are_rejected(server: RunningServer, tmp_path: Path) -> None:
    options = ("--server", server.url, "--room", "tea", "--nick", "ann")
    file, missing, pipe = tmp_path / "notes.txt", tmp_path / "missing", tmp_path / "pipe"
    file.write_text("hello")
    os.mkfifo(pipe)
    for path, problem in (
        (missing, "No such file or directory"),
        (pipe, "Not a regular file"),
        (tmp_path, "Is a directory"),
    ):
        code, _, errors = await run_command(tmp_path, "send", *options, "--file", str(path))
        assert (code, errors) == (74, f"chat-tui: {path}: {problem}\n")
    many = [argument for _ in range(11) for argument in ("--file", str(file))]
    code, _, errors = await run_command(tmp_path, "send", *options, *many)
    assert (code, errors) == (2, "chat-tui: a message can have at most 10 files\n")
