"""Files of images in memory and in the cache directory."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.wait import wait_until
from tui_chat.protocol.errors import Unavailable
from tui_chat.session import image_files
from tui_chat.session.file_captions import MAX_IMAGE_BYTES
from tui_chat.session.image_files import ImageFiles

URL = "http://localhost:3000"


def fetch_into(requests: list[str]) -> Callable[[str, int], Awaitable[bytes]]:
    async def fetch(path: str, max_bytes: int) -> bytes:
        assert max_bytes == MAX_IMAGE_BYTES
        requests.append(path)
        return path.encode() * 100

    return fetch


async def refuse(path: str, max_bytes: int) -> bytes:
    raise Unavailable("not_connected")


async def test_files_are_fetched_once_and_survive_a_restart_until_their_deletion(tmp_path: Path) -> None:
    requests: list[str] = []
    deleted: list[str] = []
    files = ImageFiles(URL, fetch_into(requests), tmp_path)
    files.on_deleted = deleted.extend
    assert await files.read("/a") == await files.read("/a") == b"/a" * 100
    assert requests == ["/a"]
    (cached,) = (tmp_path / "images").iterdir()
    assert cached.stat().st_mode & 0o777 == 0o600
    restarted = ImageFiles(URL, refuse, tmp_path)
    assert await restarted.read("/a") == b"/a" * 100
    for path, url in (("/b", URL), ("/a", "http://localhost:3001")):
        with pytest.raises(Unavailable):
            await ImageFiles(url, refuse, tmp_path).read(path)
    files.forget(["/a", "/unknown"])
    assert deleted == ["/a", "/unknown"]
    assert not list((tmp_path / "images").iterdir())
    await files.read("/a")
    assert requests == ["/a", "/a"]


async def test_an_image_that_is_deleted_during_its_download_is_not_stored(tmp_path: Path) -> None:
    requests: list[str] = []
    release = asyncio.Event()

    async def fetch(path: str, max_bytes: int) -> bytes:
        requests.append(path)
        await release.wait()
        return b"image"

    files = ImageFiles(URL, fetch, tmp_path)
    load = asyncio.create_task(files.read("/a"))
    await wait_until(lambda: requests)
    files.forget(["/a"])
    release.set()
    assert await load == b"image"
    assert not list((tmp_path / "images").iterdir())
    await files.read("/a")
    assert requests == ["/a", "/a"]


async def test_memory_and_directory_are_bounded_and_drop_the_oldest_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_files, "MEMORY_BYTES", 500)
    monkeypatch.setattr(image_files, "CACHE_BYTES", 700)
    requests: list[str] = []
    files = ImageFiles(URL, fetch_into(requests), tmp_path)
    await files.read("/a")
    (first,) = (tmp_path / "images").iterdir()
    os.utime(first, (1, 1))
    for path in ("/b", "/c", "/d"):
        await files.read(path)
    assert not first.exists()
    assert len(list((tmp_path / "images").iterdir())) == 3
    await files.read("/b")
    assert requests == ["/a", "/b", "/c", "/d"]
    await files.read("/a")
    assert len(requests) == 5


async def test_images_are_shown_without_a_usable_cache_directory(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("no directory")
    for cache_dir in (tmp_path, None):
        assert await ImageFiles(URL, fetch_into([]), cache_dir).read("/a") == b"/a" * 100
