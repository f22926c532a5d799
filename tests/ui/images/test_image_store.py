"""Loads, limits and failures of the image store."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
from PIL import Image

from tests.support.terminal_images import KittyImages
from tests.support.uploads import encode_image
from tests.support.wait import wait_until
from tui_chat.client.errors import Unreachable
from tui_chat.protocol.errors import NotFound
from tui_chat.session.lines import LineImage
from tui_chat.ui.images import image_store
from tui_chat.ui.images.image_layout import ImageBox
from tui_chat.ui.images.image_store import MAX_LOADS, ImageOptions, ImageStore
from tui_chat.ui.terminal.graphics import CellSize, ImageProtocol

CONTENT = encode_image(Image.new("RGB", (16, 16), "red"))
KITTY = ImageOptions(ImageProtocol.KITTY, CellSize(8, 16))


class FileServer:
    """Files of images by path, each after its release.

    Attributes:
        requests: Paths in the order of their requests.
        errors: Errors by path, raised once.
        is_open: Set to answer the requests.
    """

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.errors: dict[str, Exception] = {}
        self.is_open = asyncio.Event()

    async def read(self, image: LineImage) -> bytes:
        """Return the file of an image."""
        self.requests.append(image.path)
        await self.is_open.wait()
        if image.path in self.errors:
            raise self.errors.pop(image.path)
        return CONTENT


class RecordedOutput:
    """Output to a terminal.

    Attributes:
        written: Written sequences.
        is_busy: Other output is queued.
        check_count: Number of checks for queued output.
    """

    def __init__(self) -> None:
        self.written = ""
        self.is_busy = False
        self.check_count = 0

    @property
    def has_pending_output(self) -> bool:
        """Return whether other output is queued, and count the check."""
        self.check_count += 1
        return self.is_busy

    def write(self, sequence: str) -> None:
        """Record a sequence; raise `AssertionError` for an upload before other output."""
        assert not self.is_busy or "a=T" not in sequence
        self.written += sequence

    @property
    def images(self) -> KittyImages:
        """Images in the terminal."""
        return KittyImages.parse(self.written.encode())


@asynccontextmanager
async def store_with(files: FileServer, output: RecordedOutput, options: ImageOptions) -> AsyncGenerator[ImageStore]:
    """Provide a store; check at its end that the terminal has no image."""
    store = ImageStore(files.read, lambda: output)
    store.configure(options)
    yield store
    await store.close()
    assert not output.images.images


def make_box(path: str) -> ImageBox:
    return ImageBox(LineImage(path, 16, 16), 0, 0, 2, 1)


def all_shown(store: ImageStore, boxes: list[ImageBox]) -> Callable[[], bool]:
    """Return the condition that all boxes have a picture."""
    return lambda: all(store.get(box) is not None for box in boxes)


async def test_visible_images_are_loaded_in_order_and_surplus_hidden_ones_are_deleted_from_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(image_store, "MAX_PICTURES", 4)
    files, output = FileServer(), RecordedOutput()
    boxes = [make_box(f"/{number}") for number in range(6)]
    async with store_with(files, output, KITTY) as store:
        store.show(boxes[:4])
        await wait_until(lambda: len(files.requests) == MAX_LOADS)
        store.show(boxes[2:])
        files.is_open.set()
        await wait_until(all_shown(store, boxes[2:]))
        assert files.requests == ["/0", "/1", "/2", "/3", "/4", "/5"]
        await wait_until(lambda: len(output.images.images) == 4)
        assert [store.get(box) is None for box in boxes[:2]] == [True, True]
        store.forget(["/2", "/unknown"])
        assert store.get(boxes[2]) is None
        assert len(output.images.images) == 3
        output.write(store.release())
        assert not output.images.images


async def test_deleted_images_are_not_shown_after_the_end_of_their_download() -> None:
    files, output = FileServer(), RecordedOutput()
    boxes = [make_box("/a"), make_box("/b")]
    async with store_with(files, output, KITTY) as store:
        store.show(boxes)
        await wait_until(lambda: len(files.requests) == 2)
        store.forget(["/a"])
        files.is_open.set()
        await wait_until(all_shown(store, boxes[1:]))
        assert store.get(boxes[0]) is None
        assert files.requests == ["/a", "/b"]
        assert len(output.images.images) == 1


async def test_an_unexpected_error_makes_one_image_unavailable_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    files, output = FileServer(), RecordedOutput()
    boxes = [make_box("/a"), make_box("/b")]
    files.errors["/a"] = RuntimeError("injected")
    files.is_open.set()
    async with store_with(files, output, KITTY) as store:
        store.show(boxes)
        await wait_until(all_shown(store, boxes[1:]))
        await wait_until(lambda: store.unavailable == frozenset({"/a"}))
    assert [record.message for record in caplog.records] == ["image not loaded: caption shown"]


async def test_uploads_wait_for_other_output() -> None:
    files, output = FileServer(), RecordedOutput()
    files.is_open.set()
    async with store_with(files, output, KITTY) as store:
        output.is_busy = True
        store.show([make_box("/a")])
        await wait_until(lambda: output.check_count >= 2)
        assert output.written == ""
        output.is_busy = False
        await wait_until(all_shown(store, [make_box("/a")]))


async def test_rejected_images_are_unavailable_and_a_load_is_repeated_after_a_connection_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(image_store, "RETRY_DELAY", 0.05)
    files, output = FileServer(), RecordedOutput()
    files.is_open.set()
    files.errors = {"/a": NotFound("upload_not_found"), "/b": Unreachable("server_silent"), "/c": ValueError("bug")}
    boxes = [make_box(path) for path in ("/a", "/b", "/c")]
    changes: list[None] = []
    loaded: list[frozenset[str]] = []
    async with store_with(files, output, ImageOptions(ImageProtocol.BLOCKS)) as store:
        store.on_changed = lambda: changes.append(None)
        store.on_loaded = loaded.append
        store.show(boxes)
        await wait_until(all_shown(store, [boxes[1]]))
        assert store.unavailable == {"/a", "/c"}
        assert files.requests.count("/b") == 2
        assert len(changes) == 2
        await wait_until(lambda: loaded == [{"/b"}])
        store.show(boxes)
        store.configure(ImageOptions())
        store.show(boxes)
        assert store.get(boxes[1]) is None
    assert len(files.requests) == 4
