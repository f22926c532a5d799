"""Command `tail` of `chat-tui` in real processes with pipes."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from server.app import RunningServer
from tests.support.cli_command import read_line, run_command, start_command
from tests.support.environment import program_environment
from tests.support.program import PIPE, start_program
from tests.support.raw_client import raw_client
from tests.support.terminal import CHAT_TUI
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.cli_commands import commands
from tui_chat.cli_commands.room_connection import CliTarget
from tui_chat.client.client import ChatClient
from tui_chat.client.history_sync import HistorySync


async def test_tail_prints_sent_messages_and_the_real_hosts_of_disguised_links(
    server: RunningServer, tmp_path: Path
) -> None:
    room_args = ("--server", server.url, "--room", "tea")
    assert await run_command(tmp_path, "send", *room_args, "--nick", "小明", "the", "kettle 🫖") == (0, "", "")
    two_rows = "two\nrows, https://bank.example@evil.example/\n"
    assert (await run_command(tmp_path, "send", *room_args, "--nick", "ann", stdin=two_rows))[0] == 0
    code, output, errors = await run_command(tmp_path, "tail", *room_args, "--no-follow")
    assert (code, errors) == (0, "")
    first, second, third = output.splitlines()
    assert first.endswith(" 小明: the kettle 🫖")
    assert second.endswith(" ann: two")
    assert third == "    rows, https://bank.example@evil.example/ (link to evil.example)"


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


async def test_tail_prints_the_only_message_before_other_entries_and_ends_after_a_page_without_progress(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    requests: list[int] = []

    async def load_nothing(history: HistorySync, limit: int) -> bool:
        requests.append(limit)
        return True

    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("before")
        await room.set_topic("green")
        target = CliTarget(server=server.url, room="tea", nick="bob", timeout=TIMEOUT, state_dir=tmp_path)
        await commands.tail(target, 1, follow=False, as_json=False)
        assert capsys.readouterr().out.endswith(" ann: before\n")
        monkeypatch.setattr(HistorySync, "load_older", load_nothing)
        await commands.tail(target, 2, follow=False, as_json=False)
    assert capsys.readouterr().out.endswith(" ann: before\n")
    assert len(requests) == 1


async def test_tail_prints_a_message_once_that_arrives_during_the_load_of_older_ones(
    server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load_older = HistorySync.load_older

    async def load_older_after_a_push(history: HistorySync, _: int) -> bool:
        sent = await author.send("pushed during the load")
        await wait_until(lambda: history.log.last == sent.seq)
        return await load_older(history, 1)

    monkeypatch.setattr(HistorySync, "load_older", load_older_after_a_push)
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


async def test_a_closed_output_pipe_ends_tail_without_an_error_message(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as chat:
        room = await chat.join("tea", nick="ann")
        await room.send("before")
        read_fd, write_fd = os.pipe()
        command = (*CHAT_TUI, "tail", "--room", "tea", "--server", server.url)
        process = await start_program(command, program_environment(tmp_path), stdout=write_fd, stderr=PIPE)
        os.close(write_fd)
        assert b"before" in await asyncio.to_thread(os.read, read_fd, 1000)
        os.close(read_fd)
        await room.send("nobody reads this")
        async with asyncio.timeout(TIMEOUT):
            _, errors = await process.communicate()
        assert (process.returncode, errors) == (141, b"")


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
