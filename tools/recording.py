"""Generator of docs/recording.cast, a demo of 30 seconds: `make recording`.

The output is an asciicast v2 file (docs.asciinema.org/manual/asciicast/v2) for `asciinema play` and compatible players.

- Authenticity: the client renders all content itself, in its own pseudo-terminal.
- Privacy: the file contains no data about the recording machine.
- Size: frames store screen differences instead of raw output, which saves two thirds.
"""

import asyncio
import fcntl
import json
import os
import pty
import struct
import sys
import tempfile
import termios
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pyte

from tests.support.wait import wait_until
from tools.demo_scene import START_TIME, DemoScene, demo_scene

OUTPUT_FILE = Path(__file__).parents[1] / "docs" / "recording.cast"

COLUMNS, ROWS = 80, 24

COALESCE_INTERVAL = 0.02
"""Seconds of output per frame."""

MAX_WRITTEN_BLANKS = 6
"""Maximum length of a run of trailing blanks that is written as blanks. Longer runs become an erase sequence (ECH)."""

HEX_COLOR_DIGITS = 6
"""Length of a true color in pyte; the theme has no named colors."""

_BLANK = pyte.screens.Char(" ")

KEY_INTERVAL, TYPING_PAUSE, READ_PAUSE = 0.06, 0.7, 1.6
"""Pauses in seconds: between keys, before typing, and after a new message."""

DOWN, ESCAPE, ENTER = "\x1b[B", "\x1b", "\r"


class Recording:
    """Recorder of the terminal output of a client, from its construction until `stop` or the exit of the client.

    Args:
        master: Descriptor of the pseudo-terminal.

    Attributes:
        frames: (seconds since the start, escape sequences that update the previous screen).
    """

    def __init__(self, master: int) -> None:
        self.frames: list[tuple[float, str]] = []
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._capture_timer: asyncio.TimerHandle | None = None
        self.restart()
        self._master = master
        self._open = True
        os.set_blocking(master, False)
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        """Feed the available output to the screen, and schedule a frame."""
        try:
            self._stream.feed(os.read(self._master, 65_536))
        except BlockingIOError:
            return
        except OSError:  # EIO: the client has exited
            self.stop()
            return
        if self._capture_timer is None:
            self._capture_timer = asyncio.get_running_loop().call_later(COALESCE_INTERVAL, self._capture_frame)

    def _capture_frame(self) -> None:
        """Append a frame with the changed parts of the screen, if any."""
        self._capture_timer = None
        screen = [[self._screen.buffer[row][column] for column in range(COLUMNS)] for row in range(ROWS)]
        changed = "".join(_diff_row(row, *rows) for row, rows in enumerate(zip(self._last_screen, screen, strict=True)))
        if changed:
            cursor = self._screen.cursor
            changed += f"\x1b[{cursor.y + 1};{cursor.x + 1}H"
            self.frames.append((time.monotonic() - self._start_time, changed))
            self._last_screen = screen

    def restart(self) -> None:
        """Discard all frames; the current screen becomes the first frame, at time 0."""
        self.frames.clear()
        self._start_time = time.monotonic()
        self._last_screen = [[_BLANK] * COLUMNS for _ in range(ROWS)]
        self._capture_frame()

    def stop(self) -> None:
        """Stop reading the terminal; a repeated call has no effect."""
        if self._open:
            self._open = False
            asyncio.get_running_loop().remove_reader(self._master)

    async def wait_for_text(self, text: str) -> None:
        """Wait for a text on the screen.

        Args:
            text: Text without blanks, because blanks on the screen are ignored.

        Raises:
            TimeoutError: The text did not appear.
        """
        await wait_until(lambda: any(text in row.replace(" ", "") for row in self._screen.display))

    async def press(self, key: str) -> None:
        """Press one key and wait for `KEY_INTERVAL`."""
        os.write(self._master, key.encode())
        await asyncio.sleep(KEY_INTERVAL)

    async def type_text(self, text: str, final_key: str = ENTER) -> None:
        """Type a text at human speed and press `final_key`."""
        await asyncio.sleep(TYPING_PAUSE)
        for character in text:
            await self.press(character)
        await asyncio.sleep(TYPING_PAUSE / 2)
        await self.press(final_key)

    def to_asciicast(self) -> str:
        """Return the recording in asciicast v2 format."""
        header = {
            "version": 2,
            "width": COLUMNS,
            "height": ROWS,
            "timestamp": int(START_TIME.timestamp()),
            "title": "chat-tui",
            "env": {"TERM": "xterm-256color"},
        }
        lines = [json.dumps(header, ensure_ascii=False)]
        lines += [
            json.dumps([round(time_offset, 2), "o", text], ensure_ascii=False, separators=(",", ":"))
            for time_offset, text in self.frames
        ]
        return "\n".join(lines) + "\n"


def _diff_row(row: int, previous: list[pyte.screens.Char], current: list[pyte.screens.Char]) -> str:
    """Return the escape sequences that rewrite a row from its first to its last changed cell."""
    changed_columns = [column for column in range(COLUMNS) if previous[column] != current[column]]
    if not changed_columns:
        return ""
    first, last = changed_columns[0], changed_columns[-1]
    while not current[first].data:  # the second cell of a wide character is empty
        first -= 1
    output, style = f"\x1b[{row + 1};{first + 1}H", ""
    for cell in current[first : last + 1]:
        if (cell_style := _sgr_sequence(cell)) != style:
            output, style = output + cell_style, cell_style
        output += cell.data
    spaces = len(output) - len(output.rstrip(" "))
    return f"{output.rstrip(' ')}\x1b[{spaces}X" if spaces > MAX_WRITTEN_BLANKS else output


def _sgr_sequence(cell: pyte.screens.Char) -> str:
    """Return the escape sequence of the style and colors of a cell."""
    attributes = (
        (cell.bold, "1"),
        (cell.italics, "3"),
        (cell.underscore, "4"),
        (cell.reverse, "7"),
        (cell.strikethrough, "9"),
    )
    codes = ["0", *(code for is_set, code in attributes if is_set)]
    codes += [
        f"{layer};2;{int(color[:2], 16)};{int(color[2:4], 16)};{int(color[4:], 16)}"
        for layer, color in ((38, cell.fg), (48, cell.bg))
        if len(color) == HEX_COLOR_DIGITS
    ]
    return f"\x1b[{';'.join(codes)}m"


@asynccontextmanager
async def recorded_app(url: str, room: str, nick: str) -> AsyncGenerator[Recording]:
    """Run the client in a room and record its terminal; kill the client at the end of the block."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with tempfile.TemporaryDirectory() as home:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tui_chat", url, "--room", room, "--nick", nick, "--lang", "en"),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={
                "PATH": os.environ["PATH"],
                "HOME": home,
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                "LANG": "C.UTF-8",
                "TZ": "UTC",
            },
            start_new_session=True,
        )
        os.close(slave)
        recording = Recording(master)
        try:
            yield recording
        finally:
            recording.stop()
            process.kill()
            await process.wait()
            os.close(master)


async def _play_scene(scene: DemoScene, ann: Recording) -> None:
    """Play the conversation, with the keys of Ann in the recorded client."""
    await ann.wait_for_text("keptonereleaselonger")
    ann.restart()
    await asyncio.sleep(READ_PAUSE)
    await ann.type_text("Good morning! Is the build green?")
    bob = await scene.join_room("bob", "release")
    await asyncio.sleep(TYPING_PAUSE)
    await bob.set_typing(True)
    await asyncio.sleep(READ_PAUSE)
    await scene.send_message("release", "bob", "Green since seven 🎉 Shall we say noon?")
    await ann.wait_for_text("noon?")
    await asyncio.sleep(READ_PAUSE)
    await ann.press("\x13")  # Ctrl+S: select a message
    await asyncio.sleep(TYPING_PAUSE)
    await ann.press("r")
    await ann.type_text("Noon it is, I write the notes.")
    await scene.send_message("release", "小明", "太好了！中午见 🍜", 0.2)
    await ann.wait_for_text("中午见")
    await asyncio.sleep(READ_PAUSE)
    await ann.press("\x13")
    await asyncio.sleep(TYPING_PAUSE)
    await ann.press("a")
    await ann.type_text(":tada", "\t")
    await asyncio.sleep(TYPING_PAUSE)
    await ann.press(ENTER)
    last = next(reversed(list(bob.log.messages()))).seq
    await wait_until(lambda: bob.log[last].reactions)
    await asyncio.sleep(READ_PAUSE)
    await bob.react(last, "🎉")
    await asyncio.sleep(READ_PAUSE)
    await ann.press("\x1bs")  # Alt+S: search
    await ann.type_text("index")
    await ann.wait_for_text("found")
    await asyncio.sleep(READ_PAUSE)
    await ann.press(DOWN)
    await asyncio.sleep(TYPING_PAUSE)
    await ann.press(ENTER)
    await asyncio.sleep(READ_PAUSE)
    await ann.press(ESCAPE)
    await asyncio.sleep(READ_PAUSE)


async def record_demo() -> str:
    """Play the scene in real time and return the asciicast."""
    async with demo_scene() as scene:
        room = await scene.join_room("bob", "release")
        await room.set_topic("1.4 on Friday")
        await scene.send_message("release", "小明", "The migration takes 40 s now, it was 9 min 👀", 1)
        seq = await scene.send_message("release", "bob", "Do we keep the old index until everybody has moved?", 3)
        await scene.send_message("release", "小明", "It is kept one release longer.", 1, reply_to=seq)
        await (await scene.join_room("小明", "release")).react(seq, "👍")
        async with recorded_app(scene.url, "release", "ann") as ann:
            await _play_scene(scene, ann)
            return ann.to_asciicast()


if __name__ == "__main__":
    OUTPUT_FILE.write_text(asyncio.run(record_demo()), encoding="utf-8")
