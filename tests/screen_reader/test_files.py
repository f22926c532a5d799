"""Files in the screen-reader mode and in the full terminal client."""

from pathlib import Path

from PIL import Image

from server.app import RunningServer
from tests.support.terminal import CHAT_TUI, terminal
from tui_chat.client.client import ChatClient
from tui_chat.session.commands.completion import complete
from tui_chat.session.commands.path_completion import complete_path

CAPTION = "[file notes.txt · text/plain · 5 B]"


async def test_files_are_sent_announced_and_saved(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "saved").mkdir()
    image = tmp_path / "plot.png"
    Image.new("RGB", (40, 30), "red").save(image)
    reader = (*CHAT_TUI, "--screen-reader", "--room", "tea", "--nick", "root", server.url)
    async with ChatClient(server.url) as client:
        room = await client.join("tea", nick="ann")
        await room.send("look", files=[image])
        async with terminal(reader, tmp_path, rows=60, columns=100) as tui:
            await tui.wait_for_text("[image plot.png · 40×30 · ")
            await tui.wait_for_text("/quit exits.")
            tui.write_keys("/upload ~/missing\r")
            await tui.wait_for_text("missing: no such file")
            tui.write_keys("/upload ~nosuchuser/x\r")
            await tui.wait_for_text("~nosuchuser/x: no such file")
            tui.write_keys("/save ~nosuchuser\r")
            await tui.wait_for_text("~nosuchuser: no such directory")
            tui.write_keys("/upload ~/notes.txt\r")
            await tui.wait_for_text("Uploading notes.txt (5 B) …")
            await tui.wait_for_text("Sent notes.txt.")
            tui.write_keys("/save ~/saved\r")
            await tui.wait_for_text("saved/notes.txt")
            assert (tmp_path / "saved" / "notes.txt").read_text() == "hello"
            tui.write_keys("/quit\r")
            assert await tui.wait_closed() == 0
        command = (*CHAT_TUI, "--room", "tea", "--nick", "ann2", server.url)
        async with terminal(command, tmp_path, rows=24, columns=100) as tui:
            await tui.wait_for_text(CAPTION)
            await tui.wait_for_text("[image plot.png · 40×30 · ")
            tui.write_keys("/upload ~/not\t\r")
            await tui.wait_for_text("Sent notes.txt.")
            tui.write_keys("\x13")  # Ctrl+S selects the newest message
            tui.write_keys("s")
            await tui.wait_for_text("Downloads/notes.txt")
            assert (tmp_path / "Downloads" / "notes.txt").read_text() == "hello"


def test_paths_complete_as_in_a_shell(tmp_path: Path) -> None:
    (tmp_path / "a dir").mkdir()
    for name in ("a.txt", ".hidden", "b"):
        (tmp_path / name).touch()
    assert complete_path(f"{tmp_path}/") == [f"{tmp_path}/{name}" for name in ("a dir/", "a.txt", "b")]
    assert complete_path(f"{tmp_path}/.h") == [f"{tmp_path}/.hidden"]
    assert complete_path(f"{tmp_path}/missing/x") == []
    completion = complete(f"/upload {tmp_path}/a", (), ())
    assert completion is not None
    assert [candidate.text for candidate in completion.candidates] == [f"{tmp_path}/a dir/", f"{tmp_path}/a.txt"]
