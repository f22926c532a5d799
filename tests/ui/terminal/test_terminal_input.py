"""Raw bytes with pauses and errors from the terminal to the real program."""

import asyncio
from pathlib import Path

from tests.support.in_process_server import running_server
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient

PAUSE = 0.06  # seconds between two reads on a slow connection
START, END = b"\x1b[200~", b"\x1b[201~"

INPUTS: list[tuple[list[bytes], str]] = [
    ([START + b"end\rmarker\x1b[20", b"1~", b"\r"], "end\nmarker"),
    ([b"\x1b[20", b"0~start\rmarker" + END, b"\r"], "start\nmarker"),
    ([START + b"a \x1b[31mred\x1b[0m b" + END + b"\r"], "a red b"),
    ([b"late \x1b]11;rgb:0000", b"/1111/2222\x1b", b"\\answer\r"], "late answer"),
    ([b"\x1bP>|XTerm(379)\x1b\\device\x1b[?62;22c \x1b_Gi=31;OK\x1b\\answers\r"], "device answers"),
    ([b"caf\xe9 latin\r"], "caf\ufffd latin"),
    ([b"\x1b[9999999999u\x1b[97:65;5:3uparser error\r"], "parser error"),
    (["family 👨\u200d👩\u200d👧".encode(), b"\x7f", b"deleted\r"], "family deleted"),
    (["小\u3000明 می\u200cخواهم 👨\u200d👩\u200d👧\r".encode()], "小\u3000明 می\u200cخواهم 👨\u200d👩\u200d👧"),
    ([START + b"unfinished\rpaste"], ""),
    ([b"\r"], "unfinished\npaste"),
]
"""Reads, and the message that the user sends with them; empty for text that only arrives in the composer."""


async def test_raw_input_arrives_as_text_and_the_keyboard_stays_alive(tmp_path: Path) -> None:
    async with (
        running_server(tmp_path / "server", rate_limit="off") as server,
        ChatClient(server.url) as bob,
        terminal((*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann"), tmp_path / "home") as ann,
    ):
        room = await bob.join("tea", nick="bob")
        await ann.wait_for_text("2 here")
        sent: list[str] = []
        for reads, text in INPUTS:
            for data in reads:
                ann.write_bytes(data)
                await asyncio.sleep(PAUSE)
            if text:
                sent.append(text)
                await wait_until(lambda: len([*room.log.messages()]) == len(sent))
                assert [message.message for message in room.log.messages()] == sent
            else:
                await ann.wait_for_text("unfinished")
        ann.write_keys("/nick 👨\u200d👩\u200d👧 ❤\ufe0f\r")
        await wait_until(lambda: "👨\u200d👩\u200d👧 ❤" in {member.nick_name for member in room.members.values()})
        ann.write_keys("\x11")
        assert await ann.wait_closed() == 0
