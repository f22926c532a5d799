"""Users of a terminal and of a page in a fault run, who write messages and compare the display with the log."""

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.faults.checker import SentMessage, Violation, find_display_violations
from benchmarks.faults.injection import START_TIMEOUT
from tests.support.browser import chromium
from tests.support.chat_page import open_chat_page
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.protocol.events import Entry

WRITE_INTERVAL = 1.0
"""Seconds between two messages of a user."""

_CHECK_INTERVAL = 0.2  # seconds
_TERMINAL_COLUMNS, _TERMINAL_ROWS = 150, 60  # each message of a run fits in one row of the timeline


@dataclass
class InteractiveClient:
    """User of one terminal or page in one room.

    Attributes:
        room: Name of the room.
        name: Name in the markers.
        send: Types a text and presses Enter.
        read: Returns the displayed texts of messages, oldest first.
        sent: All written messages, in order; the outbox of the client contains them until their acknowledgement.
        displayed: Displayed texts at the last comparison.
        violations: Differences between the log and the display at the last comparison.
    """

    room: str
    name: str
    send: Callable[[str], Awaitable[None]]
    read: Callable[[], Awaitable[list[str]]]
    sent: list[SentMessage] = field(default_factory=list[SentMessage])
    displayed: list[str] = field(default_factory=list[str])
    violations: list[Violation] = field(default_factory=list[Violation])
    _is_stopping: bool = False

    def stop(self) -> None:
        """Stop after the current message."""
        self._is_stopping = True

    async def run(self) -> None:
        """Write a message every `WRITE_INTERVAL` until `stop`."""
        while not self._is_stopping:
            marker = f"{self.name}-{len(self.sent)}"
            self.sent.append(SentMessage(self.room, self.name, marker, is_persisted=True))
            await self.send(f"{marker} text")
            await asyncio.sleep(WRITE_INTERVAL)

    async def compare(self, log: Sequence[Entry], timeout: float) -> None:
        """Wait until the display equals the end of the log, and record the remaining differences.

        Args:
            log: Final log of the room.
            timeout: Maximum wait in seconds.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while True:
            self.displayed = await self.read()
            self.violations = find_display_violations(self.room, self.name, log, self.displayed)
            if not self.violations or loop.time() > deadline:
                return
            await asyncio.sleep(_CHECK_INTERVAL)


@asynccontextmanager
async def open_terminal(url: str, room: str, number: int, directory: Path) -> AsyncGenerator[InteractiveClient]:
    """Run `chat-tui` in a pseudo-terminal within the block, joined to a room.

    Args:
        url: URL of the server.
        room: Name of the room, which all markers start with.
        number: Number of the terminal.
        directory: Parent of the home directory.
    """
    name = f"{room}-terminal{number}"
    command = (*CHAT_TUI, url, "--room", room, "--nick", "terminal")
    message_pattern = re.compile(rf"\b{re.escape(room)}-\w+-\d+(?: \w+)*")
    async with terminal(command, directory / name, columns=_TERMINAL_COLUMNS, rows=_TERMINAL_ROWS) as program:
        await program.wait_for_text(" here", START_TIMEOUT)

        async def send(text: str) -> None:
            program.write_keys(f"{text}\r")

        async def read() -> list[str]:
            return message_pattern.findall(program.screen_text())

        yield InteractiveClient(room, name, send, read)


@asynccontextmanager
async def open_page(url: str, room: str, number: int) -> AsyncGenerator[InteractiveClient]:
    """Run the page in Chromium within the block, joined to a room; arguments as for `open_terminal`."""
    async with chromium() as browser:
        page = await open_chat_page(browser, url, "page", room)

        async def read() -> list[str]:
            texts = await page.messages.all_text_contents()
            return [text.removesuffix(" (edited)").strip() for text in texts]

        yield InteractiveClient(room, f"{room}-page{number}", page.send_message, read)
