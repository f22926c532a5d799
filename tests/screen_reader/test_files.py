"""Files in the screen-reader mode and in the full terminal client."""

import os
from pathlib import Path

from PIL import Image

from server.app import RunningServer
from tests.support.messages import message_texts
from tests.support.tcp_proxy import tcp_proxy
from tests.support.terminal import CHAT_TUI, terminal
from tests.support.wait import wait_until
from tui_chat.client.client import ChatClient

CAPTION = "[file notes.txt · text/plain · 5 B]"
SELECT = "\x13"  # Ctrl+S selects the newest message


async def test_files_are_sent_announced_saved_and_opened(server: RunningServer, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "a b.txt").write_text("offline")
    (tmp_path / "empty").touch()
    (tmp_path / "saved").mkdir()
    image = tmp_path / "plot.png"
    Image.new("RGB", (40, 30), "red").save(image)
    async with ChatClient(server.url) as client, tcp_proxy(server.port) as proxy:
        room = await client.join("tea", nick="ann")
        await room.send("look", files=[image])
        reader = (*CHAT_TUI, "--screen-reader", "--room", "tea", "--nick", "root", proxy.url)
        # Paths of the temporary directory fit into one row.
        async with terminal(reader, tmp_path, rows=60, columns=200, environ={"DISPLAY": None}) as tui:
            await tui.wait_for_text("ann says: look\nWith the image plot.png, 40 by 30 pixels, ")
            await tui.wait_for_text("/quit exits.")
            for command, output in (
                ("/upload ~/missing", "No such file: /"),
                ("/upload ~nosuchuser/x", "No such file: ~nosuchuser/x."),
                ("/upload ~/saved", "Not a file but a directory: /"),
                ("/attach ~/empty", "The file is empty."),
                ("/save ~nosuchuser", "~nosuchuser: no such directory"),
                ("/open", "Files open only on a local desktop."),
                ("/open 2", "The message has only 1 file."),
                ("/cancel", "No unsent message."),
                ("/upload ~/notes.txt", "Uploading notes.txt (5 B) …"),
            ):
                tui.write_keys(f"{command}\r")
                await tui.wait_for_text(output)
            await tui.wait_for_text("Sent notes.txt.")
            tui.write_keys("/save ~/saved\r")
            await tui.wait_for_text("saved/notes.txt")
            assert (tmp_path / "saved" / "notes.txt").read_text() == "hello"
            tui.write_keys(f"{tmp_path}/notes.txt\r")
            await tui.wait_for_text("Send notes.txt as attachment? [send: y]")
            tui.write_keys("n\r")
            await wait_until(lambda: message_texts(room)[-1] == f"{tmp_path}/notes.txt")
            tui.write_keys(f"'{tmp_path}/a b.txt'\r")
            await tui.wait_for_text("Send a b.txt as attachment?")
            tui.write_keys("y\r")
            await tui.wait_for_text("Sent a b.txt.")
            proxy.refuse_connections()
            proxy.reset_all()
            await tui.wait_for_text("Connection lost")
            tui.write_keys("/upload '~/a b.txt'\r".replace("~", str(tmp_path)))
            await tui.wait_for_text("a b.txt is sent after the reconnect.")
            tui.write_keys("/upload ~/notes.txt\r")
            await tui.wait_for_text("notes.txt is sent after the reconnect.")
            tui.write_keys("/cancel\r")
            await tui.wait_for_text("Discarded: the file notes.txt, 5 B")
            tui.write_keys("/quit\r")
            assert await tui.wait_closed() == 0
        proxy.accept_connections()
        command = (*CHAT_TUI, "--room", "tea", "--nick", "root", proxy.url)
        opener = tmp_path / "bin" / "xdg-open"
        opener.parent.mkdir()
        opener.write_text('#!/bin/sh\ncp "$1" ~/opened\n')
        opener.chmod(0o700)
        environ = {"DISPLAY": ":0", "SSH_CONNECTION": None, "PATH": f"{opener.parent}:{os.environ['PATH']}"}
        async with terminal(command, tmp_path, rows=40, columns=200, environ=environ) as tui:
            await tui.wait_for_text(CAPTION)
            await tui.wait_for_text("[image plot.png · 40×30 · ")
            # The second one is the message of the first session that waited for the connection.
            await wait_until(lambda: tui.screen_text().count("[file a b.txt · text/plain · 7 B]") == 2)
            proxy.stall(towards_client=False)
            tui.write_keys("/upload ~/not\t\r")
            await tui.wait_for_text("[file notes.txt · 5 B")
            tui.write_keys(f"{SELECT}s")
            await tui.wait_for_text("This message is not sent yet.")
            proxy.resume()
            await wait_until(lambda: tui.screen_text().count(CAPTION) == 2)
            tui.write_keys(f"{SELECT}s")
            await tui.wait_for_text("Downloads/notes.txt")
            assert (tmp_path / "Downloads" / "notes.txt").read_text() == "hello"
            tui.write_keys("o")
            await tui.wait_for_text("Open notes.txt · text/plain · 5 B?")
            tui.write_keys("y")
            opened = tmp_path / "opened"
            await wait_until(lambda: opened.exists() and opened.read_text() == "hello")
            await room.send("", files=[opener, image])
            await tui.wait_for_text("[file xdg-open · ")
            tui.write_keys("/open\r")
            await tui.wait_for_text("2: the image plot.png, 40 by 30 pixels, ")
            tui.write_keys("/open 1\r")
            await tui.wait_for_text("may run a program. Save?")
            tui.write_keys("y")
            await wait_until((tmp_path / "Downloads" / "xdg-open").exists)
            tui.write_keys(f"{SELECT}o")
            await tui.wait_for_text("Files and links")
            tui.write_keys("\x1b")
            await wait_until(lambda: "Files and links" not in tui.screen_text())
            tui.write_keys("/open 3\r")
            await tui.wait_for_text("The message has only 2 files.")
        names = [file.name for message in room.log.messages() for file in message.attachments or ()]
        assert names == ["plot.png", "notes.txt", "a b.txt", "a b.txt", "notes.txt", "xdg-open", "plot.png"]
