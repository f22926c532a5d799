"""`chat-tui send`, `tail` and `who` as scripts use them: real processes, pipes and exit codes."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.in_process_server import running_server
from tests.support.server_process import server_process
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient
from tui_chat.protocol.limits import MESSAGE_CHARACTERS

PATIENCE = 20.0


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[RunningServer]:
    async with running_server(tmp_path, rate_limit="off") as running:
        yield running


@asynccontextmanager
async def started(home: Path, *words: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CHAT_", "XDG_", "LC_"))}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui_chat", *words),
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=kept | {"HOME": str(home), "LANG": "C.UTF-8"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ran(home: Path, *words: str, given: str = "") -> tuple[int, str, str]:
    """Run it to its end: exit code, standard output, standard error."""
    async with started(home, *words) as process, asyncio.timeout(PATIENCE):
        out, err = await process.communicate(given.encode())
        assert process.returncode is not None
        return process.returncode, out.decode(), err.decode()


async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return (await process.stdout.readline()).decode()


async def test_what_is_sent_is_what_tail_prints(server: RunningServer, tmp_path: Path) -> None:
    where = ("--server", server.url, "--room", "tea")
    assert await ran(tmp_path, "send", *where, "--nick", "小明", "the", "kettle 🫖") == (0, "", "")
    assert (await ran(tmp_path, "send", *where, "--nick", "ann", given="two\nrows\n"))[0] == 0
    code, out, err = await ran(tmp_path, "tail", *where, "--no-follow")
    assert (code, err) == (0, "")
    first, second, third = out.splitlines()
    assert first.endswith(" 小明: the kettle 🫖")
    assert second.endswith(" ann: two")
    assert third == "    rows"


async def test_each_line_is_a_message_and_is_answered_as_it_comes(server: RunningServer, tmp_path: Path) -> None:
    async with started(tmp_path, "send", "--room", "tea", "--server", server.url, "--lines", "--json") as process:
        assert process.stdin is not None
        process.stdin.write(b"one\n\n")
        assert json.loads(await line_of(process))["seq"] == 1
        process.stdin.write(b"two")
        process.stdin.close()
        assert json.loads(await line_of(process))["seq"] == 2
        async with asyncio.timeout(PATIENCE):
            assert await process.wait() == 0
    _, out, _ = await ran(tmp_path, "tail", "--server", server.url, "--room", "tea", "--no-follow", "--json")
    assert [json.loads(line)["message"] for line in out.splitlines()] == ["one", "two"]


async def test_a_line_that_is_refused_is_named_and_the_others_are_said(server: RunningServer, tmp_path: Path) -> None:
    given = f"one\n{'x' * (MESSAGE_CHARACTERS + 1)}\n{'y' * 200_000}\nfour\n"
    code, out, err = await ran(
        tmp_path, "send", "--room", "tea", "--server", server.url, "--lines", "--json", given=given
    )
    assert code == 1
    assert len(out.splitlines()) == 2
    assert [line[:16] for line in err.splitlines()] == ["chat-tui: line 2", "chat-tui: line 3"]


async def test_a_message_that_is_too_long_is_refused_whole(server: RunningServer, tmp_path: Path) -> None:
    where = ("--server", server.url, "--room", "tea")
    code, _, err = await ran(tmp_path, "send", *where, given="x" * (MESSAGE_CHARACTERS + 1))
    assert code == 1
    assert err.startswith("chat-tui: A message can have 4,000 characters")
    assert await ran(tmp_path, "tail", *where, "--no-follow") == (0, "", "")


async def test_tail_follows_until_it_is_interrupted(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("before")
        async with started(tmp_path, "tail", "--room", "tea", "--server", server.url, "--lines", "1") as process:
            assert (await line_of(process)).endswith("ann: before\n")
            sent = await room.send("after\n2026-11-20 00:00:00 bob: not me")
            assert (await line_of(process)).endswith("ann: after\n")
            assert await line_of(process) == "    2026-11-20 00:00:00 bob: not me\n"
            await room.react(sent.seq, "👍")
            assert (await line_of(process)).endswith("* ann put 👍 under a message\n")
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(PATIENCE):
                _, err = await process.communicate()
            assert (process.returncode, err) == (130, b"")


async def test_a_pipe_that_is_closed_ends_it_quietly(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("before")
        reading, writing = os.pipe()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tui_chat", "tail", "--room", "tea", "--server", server.url),
            stdout=writing,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "HOME": str(tmp_path)},
        )
        os.close(writing)
        assert b"before" in await asyncio.to_thread(os.read, reading, 1000)
        os.close(reading)
        await room.send("nobody reads this")
        async with asyncio.timeout(PATIENCE):
            _, err = await process.communicate()
        assert (process.returncode, err) == (141, b"")


async def test_who_is_here_and_it_does_not_count_itself(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as ann, ChatClient(server.url) as ben:
        await ann.join("tea", nick="ann")
        await ben.join("tea", nick="Ben")
        where = ("--server", server.url, "--room", "tea")
        assert await ran(tmp_path, "who", *where) == (0, "ann\nBen\n", "")
        _, out, _ = await ran(tmp_path, "who", *where, "--json")
        assert [json.loads(line)["nickName"] for line in out.splitlines()] == ["ann", "Ben"]


async def test_one_is_the_same_member_in_each_run(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        for text in ("one", "two"):
            words = ("send", "--room", "tea", "--server", server.url, "--nick", "bot", text)
            assert (await ran(tmp_path, *words))[0] == 0
        await wait_until(lambda: len(list(room.log.messages())) == 2)
        one, two = room.log.messages()
        assert one.member_id == two.member_id
        assert (one.nick_name, two.nick_name) == ("bot", "bot")


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (("send", "--room", "tea", "--server", "127.0.0.1:1", "hello"), 69, "Nothing answers at this address"),
        (("send", "hello"), 2, "which room?"),
        (("send", "--room", "tea", "--server", "ftp://x", "hello"), 2, "An address starts with http"),
        (("tail", "--room", "tea", "--nick", "\x07"), 2, "A nickname cannot hold U+0007"),
        (("tail", "--room", "tea", "--lines", "many"), 2, "argument --lines: a number of messages"),
        (("who", "--romm", "tea"), 2, "unrecognized arguments: --romm"),
        (("send", "--room", "tea", "--timeout", "0"), 2, "a time is a number of seconds"),
    ],
)
async def test_what_goes_wrong_is_one_line_and_an_exit_code(
    words: tuple[str, ...], code: int, problem: str, tmp_path: Path
) -> None:
    ended, out, err = await ran(tmp_path, *words)
    assert (ended, out) == (code, "")
    assert problem in err
    assert len(err.splitlines()) == 1


async def test_what_is_said_during_a_break_is_said_once(tmp_path: Path) -> None:
    flags = ("--database", str(tmp_path / "chat.db"))
    async with server_process(tmp_path, *flags) as first:
        where = ("--server", first.url, "--room", "tea")
        async with started(tmp_path, "send", *where, "--lines", "--json") as process:
            assert process.stdin is not None
            process.stdin.write(b"before\n")
            assert json.loads(await line_of(process))["seq"] == 1
            first.process.kill()
            await first.wait_closed()
            process.stdin.write(b"during\n")
            async with server_process(tmp_path, *flags, "--port", str(first.port)):
                assert json.loads(await line_of(process))["seq"] == 2
                process.stdin.close()
                async with asyncio.timeout(PATIENCE):
                    assert await process.wait() == 0
                _, out, _ = await ran(tmp_path, "tail", *where, "--no-follow", "--json")
                assert [json.loads(line)["message"] for line in out.splitlines()] == ["before", "during"]


async def test_the_help_is_in_the_language_that_is_wanted(tmp_path: Path) -> None:
    _, out, _ = await ran(tmp_path, "tail", "--lang", "zh", "--help")
    assert "先打印多少条消息（10）" in out
