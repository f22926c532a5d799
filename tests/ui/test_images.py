"""Images of messages in real terminals."""

import asyncio
import signal
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from server.app import RunningServer
from tests.support.requirements import require_tmux
from tests.support.terminal import ALTERNATE_SCREEN_MODE, CHAT_TUI, terminal
from tests.support.terminal_images import (
    KITTY_ANSWERS,
    NO_GRAPHICS_ANSWER,
    PLACEHOLDER,
    SIXEL_ANSWERS,
    KittyImages,
    chat_terminal,
    decode_sixel,
    find_sixels,
    is_close,
)
from tests.support.wait import TIMEOUT, wait_until
from tui_chat.client.client import ChatClient
from tui_chat.client.room import Room

RED, BLUE = (255, 0, 0), (0, 0, 255)


async def send_image(room: Room, path: Path, color: tuple[int, int, int], size: tuple[int, int] = (800, 600)) -> int:
    """Send an image of one color with its name as text, and return the `seq` of the message."""
    Image.new("RGB", size, color).save(path)
    return (await room.send(path.stem, files=[path])).seq


async def test_kitty_images_are_transferred_once_scroll_as_text_and_are_deleted(
    server: RunningServer, tmp_path: Path
) -> None:
    async with ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        seq = await send_image(room, tmp_path / "garden.png", RED)
        async with chat_terminal(server, tmp_path / "ann", KITTY_ANSWERS) as tty:

            def images() -> KittyImages:
                return KittyImages.parse(bytes(tty.written))

            def placeholder_rows() -> int:
                return sum(PLACEHOLDER in row for row in tty.screen_text().splitlines())

            rows = 8  # a third of the timeline
            await wait_until(lambda: placeholder_rows() == rows)
            (image,) = images().images.values()
            assert (image.keys["c"], image.keys["r"]) == ("22", "8")
            assert (image.keys["s"], image.keys["v"]) == ("220", "160")
            assert is_close(image.rgb[30_000:30_003], RED)
            assert tty.screen_text().index("[image garden.png · 800×600 · ") < tty.screen_text().index(PLACEHOLDER)
            for number in range(20):
                await room.send(f"line {number}")
            await tty.wait_for_text("line 19")
            await wait_until(lambda: placeholder_rows() < rows)
            tty.write_keys("\x1b[1;3H")  # Alt+Home
            await wait_until(lambda: placeholder_rows() == rows)
            tty.write_keys("\x1bOP")  # F1 covers the image
            await wait_until(lambda: placeholder_rows() < rows)
            tty.write_keys("\x1b")
            await wait_until(lambda: placeholder_rows() == rows)
            assert images().upload_count == 1
            tty.resize(50, 30)
            tty.reset_screen()
            await wait_until(lambda: placeholder_rows() == rows)
            tty.write_keys("/set images off\r")
            await wait_until(lambda: not images().images)
            await wait_until(lambda: not placeholder_rows())
            tty.write_keys("/set images auto\r")
            tty.write_keys("\x1b[1;3H")
            await wait_until(lambda: placeholder_rows() == rows)
            assert len(images().images) == 1
            await room.delete(seq)
            await tty.wait_for_text("message deleted")
            await wait_until(lambda: not images().images)
            await wait_until(lambda: not list((tmp_path / "ann").rglob("images/*")))
            await send_image(room, tmp_path / "lake.png", BLUE, (100, 40))
            tty.write_keys("\x1b[1;3F")  # Alt+End
            await wait_until(lambda: placeholder_rows() == 2)
            assert len(images().images) == 1
            upload_count = images().upload_count
            tty.write_keys("\x0c")  # Ctrl+L
            await wait_until(lambda: images().upload_count == upload_count + 1 and len(images().images) == 1)
            tty.write_keys("\x1a")  # Ctrl+Z
            stat = Path(f"/proc/{tty.process.pid}/stat")
            await wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
            await wait_until(lambda: ALTERNATE_SCREEN_MODE not in tty.private_modes())
            assert not images().images
            tty.reset_screen()
            tty.send_signal(signal.SIGCONT)
            await wait_until(lambda: placeholder_rows() == 2)
            assert len(images().images) == 1
            tty.write_keys("\x11")
            assert await tty.wait_closed() == 0
            assert not images().images


async def test_sixel_images_have_one_graphic_per_row(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        await send_image(room, tmp_path / "lake.png", BLUE, (100, 40))
        async with chat_terminal(server, tmp_path / "ann", SIXEL_ANSWERS) as tty:
            await wait_until(lambda: len(find_sixels(tty.written)) >= 2)
            first, second = (decode_sixel(sequence) for sequence in find_sixels(tty.written)[:2])
            assert first == second == {(x, y): (0, 0, 100) for x in range(100) for y in range(20)}
            tty.write_keys("\x1bOP")  # F1
            await tty.wait_for_text("Esc close")
            start = len(tty.written)
            tty.write_keys("\x1b[B")
            await wait_until(lambda: len(tty.written) > start)
            assert not find_sixels(tty.written[start:])
            tty.write_keys("\x1b")
            await wait_until(lambda: len(find_sixels(tty.written[start:])) >= 2)
            tty.write_keys("\x11")
            assert await tty.wait_closed() == 0


async def test_terminals_without_graphics_show_half_blocks_and_without_colors_captions(
    server: RunningServer, tmp_path: Path
) -> None:
    async with ChatClient(server.url) as bob, ChatClient(server.url) as eve:
        room = await bob.join("tea", nick="bob")
        await send_image(room, tmp_path / "garden.png", RED)
        (tmp_path / "broken.png").write_bytes(b"no image")
        await room.send("broken", files=[tmp_path / "broken.png"])
        async with chat_terminal(server, tmp_path / "ann", NO_GRAPHICS_ANSWER) as tty:
            await wait_until(lambda: sum("▀" * 22 in row for row in tty.screen_text().splitlines()) == 8)
            rows = tty.screen_text().splitlines()
            y = next(number for number, row in enumerate(rows) if "▀" in row)
            cell = tty.screen.buffer[y][rows[y].index("▀") + 5]
            assert is_close(bytes.fromhex(cell.fg), RED)
            assert is_close(bytes.fromhex(cell.bg), RED)
            await (await eve.join("tea", nick="eve")).send("hello")
            tty.write_keys("/ignore bob\r")
            await tty.wait_for_text("eve")
            await wait_until(lambda: "▀" not in tty.screen_text())
            await send_image(room, tmp_path / "hidden.png", BLUE)
            await (await eve.join("tea", nick="eve")).send("afterwards")
            await tty.wait_for_text("afterwards")
            tty.write_keys("\x11")
            assert await tty.wait_closed() == 0
            assert len(list((tmp_path / "ann").rglob("images/*"))) == 1
        async with chat_terminal(server, tmp_path / "cat", KITTY_ANSWERS, nick="cat", NO_COLOR="1") as tty:
            await tty.wait_for_text("[image hidden.png · 800×600 · ")
            await tty.wait_for_text("afterwards")
            tty.write_keys("\x11")
            assert await tty.wait_closed() == 0
            assert "▀".encode() not in tty.written
            assert not list((tmp_path / "cat").rglob("images/*"))


@pytest.mark.needs_tmux
async def test_kitty_images_pass_through_tmux(server: RunningServer, tmp_path: Path) -> None:
    async with ChatClient(server.url) as bob:
        await send_image(await bob.join("tea", nick="bob"), tmp_path / "garden.png", RED)
        config = tmp_path / "tmux.conf"
        config.write_text("set -g allow-passthrough on\n")
        client = (*CHAT_TUI, server.url, "--room", "tea", "--nick", "ann")
        multiplexer = (require_tmux(), "-u", "-f", str(config), "-S", str(tmp_path / "tmux"))
        environ = {"TMUX": None, "STY": None, "NO_COLOR": None}
        async with terminal((*multiplexer, "new", *client), tmp_path, columns=80, rows=31, environ=environ) as tty:
            try:
                await wait_until(lambda: b"\x1b[>q" in tty.written or b"\x1b[>0q" in tty.written)
                tty.write_keys("\x1b[?62c\x1b[>1;4000;0c\x1bP>|kitty(0.35.2)\x1b\\")
                await wait_until(lambda: PLACEHOLDER.encode() in tty.written)
                (image,) = KittyImages.parse(bytes(tty.written)).images.values()
                assert is_close(image.rgb[30_000:30_003], RED)
                tty.write_keys("\x11")
                assert await tty.wait_closed() == 0
                assert not KittyImages.parse(bytes(tty.written)).images
            finally:  # the server of tmux survives its terminal
                kill_server = (*multiplexer, "kill-server")
                await asyncio.to_thread(subprocess.run, kill_server, capture_output=True, check=False, timeout=TIMEOUT)
