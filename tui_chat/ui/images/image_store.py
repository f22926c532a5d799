"""Images of the visible messages: download, decoding, and output to the terminal.

- Demand: only visible images start to load, at most `MAX_LOADS` at a time. Scrolling cancels no load.
- Memory: each load discards the least recently visible pictures above `MAX_PICTURES`, but no visible ones. The Kitty
  image of a discarded picture is deleted from the terminal.
- Drawing: pictures that are loaded within `DRAW_INTERVAL` are announced together, earlier if no load is running.
- Output: an upload waits until the terminal has read all other output, and never delays the screen or the echo of a key
  by more than `_SEQUENCES_PER_WRITE` sequences.
- Failure: a rejected image is unavailable until `MAX_UNAVAILABLE` further ones are rejected. The load of a visible
  image is repeated after `RETRY_DELAY` if the server was unreachable or overloaded, or the rate limit was exceeded.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from random import randrange
from typing import Protocol

from tui_chat.client.errors import Unreachable
from tui_chat.protocol.errors import ChatError, RateLimited, Unavailable
from tui_chat.session.lines import LineImage
from tui_chat.ui.images import kitty
from tui_chat.ui.images.image_decoder import ImageDecoder, ImageRejected
from tui_chat.ui.images.image_layout import ImageBox
from tui_chat.ui.images.pictures import Picture, build_decode_request, half_block_picture, sixel_picture
from tui_chat.ui.terminal.escape_sequences import Multiplexer
from tui_chat.ui.terminal.graphics import DEFAULT_CELL_SIZE, CellSize, ImageProtocol

MAX_LOADS = 2
MAX_PICTURES = 48
MAX_UNAVAILABLE = 1_000
RETRY_DELAY = 15.0
"""Seconds until a failed load is repeated."""

DRAW_INTERVAL = 0.1
"""Maximum seconds between the load of a picture and its announcement."""

_SEQUENCES_PER_WRITE = 8  # of an upload, 32 KiB
_WRITE_INTERVAL = 0.01  # initial seconds between two checks of pending output
_MAX_WRITE_INTERVAL = 0.2  # a stalled terminal may read nothing for days

log = logging.getLogger("chat.ui")


class GraphicsOutput(Protocol):
    """Output to the terminal."""

    @property
    def has_pending_output(self) -> bool:
        """True while output is queued for the terminal."""
        ...

    def write(self, sequence: str) -> None:
        """Write an escape sequence without changes."""


@dataclass(frozen=True, slots=True)
class ImageOptions:
    """Options of the conversion of images into pictures; `background` is red, green and blue."""

    protocol: ImageProtocol = ImageProtocol.NONE
    cell_size: CellSize = DEFAULT_CELL_SIZE
    background: tuple[int, int, int] = (0, 0, 0)
    multiplexer: Multiplexer = Multiplexer.NONE


_PictureKey = tuple[str, int, int]  # path, columns and rows


class ImageStore:
    """Pictures of the images of one chat screen.

    Args:
        read_file: Returns the bytes of the file of an image, with the exceptions of `RoomFiles.read`.
        output: Returns the output to the terminal.

    Attributes:
        options: Options of the current pictures.
        unavailable: Paths of the images that cannot be shown.
        on_loaded: Called with the paths of images after the loads of their pictures.
        on_changed: Called after an image became unavailable or `release` has discarded pictures or terminal images.
    """

    def __init__(
        self,
        read_file: Callable[[LineImage], Awaitable[bytes]],
        output: Callable[[], GraphicsOutput],
    ) -> None:
        self.options = ImageOptions()
        self.unavailable: frozenset[str] = frozenset()
        self.on_loaded: Callable[[frozenset[str]], object] = lambda paths: None
        self.on_changed: Callable[[], object] = lambda: None
        self._read_file = read_file
        self._output = output
        self._decoder = ImageDecoder()
        self._visible: dict[_PictureKey, ImageBox] = {}
        self._pictures: OrderedDict[_PictureKey, Picture] = OrderedDict()  # least recently visible first
        self._image_ids: dict[_PictureKey, int] = {}  # images in the memory of the terminal
        self._id_high_byte = randrange(1, 256)  # other programs may draw in the same terminal
        self._is_uploading = False
        self._upload_lock = asyncio.Lock()
        self._loads: dict[_PictureKey, asyncio.Task[None]] = {}
        self._loaded_paths: set[str] = set()  # not yet announced
        self._announcement: asyncio.TimerHandle | None = None
        self._retry_times: dict[_PictureKey, float] = {}
        self._rejected_paths = deque[str](maxlen=MAX_UNAVAILABLE)

    def configure(self, options: ImageOptions) -> None:
        """Set the options; a change discards all pictures, deletes their terminal images and cancels all loads.

        `on_changed` precedes the change. Visible images load again with the new options, as after `release`.
        """
        if options != self.options:
            self._write(self.release())
            self.options = options

    def get(self, box: ImageBox) -> Picture | None:
        """Return the picture of an image, None if not loaded."""
        return self._pictures.get(_key(box))

    def show(self, boxes: Iterable[ImageBox]) -> None:
        """Replace the visible images, and start the due loads. With the protocol `NONE`, no image is visible."""
        self._visible = {_key(box): box for box in boxes} if self.options.protocol is not ImageProtocol.NONE else {}
        for key in self._visible.keys() & self._pictures.keys():
            self._pictures.move_to_end(key)
        self._start_loads()

    def forget(self, paths: Iterable[str]) -> None:
        """Discard the pictures and terminal images of deleted images, and cancel their loads."""
        removed = set(paths)
        self._visible = {key: box for key, box in self._visible.items() if key[0] not in removed}
        for key, task in self._loads.items():
            if key[0] in removed:
                task.cancel()
        for key in [key for key in self._pictures if key[0] in removed]:
            self._discard(key)

    def release(self) -> str:
        """Discard all pictures and cancel all loads; return the sequences that delete the images from the terminal.

        Images that are still visible load again at the end of a cancelled load or at the next `show`.
        """
        for task in self._loads.values():
            task.cancel()
        multiplexer = self.options.multiplexer
        deletions = [kitty.delete_sequence(image_id, multiplexer) for image_id in self._image_ids.values()]
        if self._is_uploading:
            deletions.insert(0, kitty.end_upload_sequence(multiplexer))
        self._image_ids.clear()
        if self._pictures or deletions:
            self._pictures.clear()
            self.on_changed()
        return "".join(deletions)

    async def close(self) -> None:
        """Discard all pictures and terminal images, cancel all loads, and end the child process."""
        self._visible = {}
        tasks = list(self._loads.values())
        self._write(self.release())
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._decoder.close()

    def _start_loads(self) -> None:
        """Start the due loads of visible images without a picture, up to `MAX_LOADS` at a time."""
        now = asyncio.get_running_loop().time()
        for key, box in self._visible.items():
            if len(self._loads) >= MAX_LOADS:
                break
            is_due = self._retry_times.get(key, 0.0) <= now
            if is_due and not (key in self._loads or key in self._pictures or box.image.path in self.unavailable):
                self._retry_times.pop(key, None)
                self._loads[key] = asyncio.create_task(self._load(key, box, self.options))
                self._loads[key].add_done_callback(lambda _, key=key: self._on_load_ended(key))

    def _on_load_ended(self, key: _PictureKey) -> None:
        """Start the next loads; after the last one, announce the loaded pictures immediately."""
        del self._loads[key]
        self._start_loads()
        if not self._loads:
            self._announce_loaded()

    async def _load(self, key: _PictureKey, box: ImageBox, options: ImageOptions) -> None:
        """Load the picture of an image and schedule its announcement.

        After an error that may pass, the load is repeated after `RETRY_DELAY` if the image is visible. After any other
        error, the image becomes unavailable. Errors are logged.
        """
        try:
            content = await self._read_file(box.image)
            request = build_decode_request(box, len(content), options.protocol, options.cell_size, options.background)
            pixels = await self._decoder.decode(content, request)
            if options.protocol is ImageProtocol.KITTY:
                picture = await self._upload(key, box, pixels)
            elif options.protocol is ImageProtocol.SIXEL:
                picture = await asyncio.to_thread(sixel_picture, pixels, request, box.rows)
            else:
                picture = await asyncio.to_thread(half_block_picture, pixels, box.columns)
        except (Unreachable, RateLimited, Unavailable) as error:
            log.info("image not loaded: %s, retry in %.0f s", error.code, RETRY_DELAY)
            now = asyncio.get_running_loop().time()
            self._retry_times = {key: retry_at for key, retry_at in self._retry_times.items() if retry_at > now}
            self._retry_times[key] = now + RETRY_DELAY
            asyncio.get_running_loop().call_later(RETRY_DELAY, self._start_loads)
        except (ChatError, ImageRejected) as error:
            log.info("image unavailable: %s", getattr(error, "code", "not decoded"))
            self._mark_unavailable(box.image.path)
        except Exception:
            log.exception("image not loaded: caption shown")
            self._mark_unavailable(box.image.path)
        else:
            self._pictures[key] = picture
            self._remove_surplus()
            self._loaded_paths.add(box.image.path)
            if self._announcement is None:
                self._announcement = asyncio.get_running_loop().call_later(DRAW_INTERVAL, self._announce_loaded)

    def _announce_loaded(self) -> None:
        """Call `on_loaded` for the pictures since the last call, if there are any."""
        if self._announcement is not None:
            self._announcement.cancel()
            self._announcement = None
            paths = frozenset(self._loaded_paths)
            self._loaded_paths.clear()
            self.on_loaded(paths)

    def _mark_unavailable(self, path: str) -> None:
        """Hide the images of a path, and call `on_changed`; above `MAX_UNAVAILABLE`, the oldest path is shown again."""
        self._rejected_paths.append(path)
        self.unavailable = frozenset(self._rejected_paths)
        self.on_changed()

    async def _upload(self, key: _PictureKey, box: ImageBox, rgb: bytes) -> Picture:
        """Transfer an image to the terminal as fast as the terminal reads, and return its placeholders.

        One upload runs at a time. A cancelled or failed upload deletes the image from the terminal.
        """
        cell = self.options.cell_size
        async with self._upload_lock:
            image_id = self._next_image_id()
            sequences = await asyncio.to_thread(
                kitty.upload_sequences,
                image_id,
                rgb,
                width=box.columns * cell.width,
                height=box.rows * cell.height,
                columns=box.columns,
                rows=box.rows,
                multiplexer=self.options.multiplexer,
            )
            self._image_ids[key] = image_id
            self._is_uploading = True
            try:
                for start in range(0, len(sequences), _SEQUENCES_PER_WRITE):
                    await self._wait_for_output()
                    self._write("".join(sequences[start : start + _SEQUENCES_PER_WRITE]))
            except BaseException:
                if self._image_ids.pop(key, None) is not None:  # otherwise deleted by `release`
                    multiplexer = self.options.multiplexer
                    self._write(kitty.end_upload_sequence(multiplexer) + kitty.delete_sequence(image_id, multiplexer))
                raise
            finally:
                self._is_uploading = False
        return Picture(graphics=kitty.placeholder_rows(image_id, box.columns, box.rows))

    async def _wait_for_output(self) -> None:
        """Wait until the terminal has read all queued output."""
        delay = _WRITE_INTERVAL  # the writer thread has no callback
        while self._output().has_pending_output:
            await asyncio.sleep(delay)
            delay = min(2 * delay, _MAX_WRITE_INTERVAL)

    def _next_image_id(self) -> int:
        """Return an unused image id, or the lowest id if all are used."""
        used = set(self._image_ids.values())
        candidates = (
            self._id_high_byte << 24 | low_byte for low_byte in range(kitty.FIRST_LOW_BYTE, kitty.LAST_LOW_BYTE + 1)
        )
        return next((image_id for image_id in candidates if image_id not in used), min(used, default=0))

    def _remove_surplus(self) -> None:
        """Discard the least recently visible pictures above `MAX_PICTURES`, but no visible ones."""
        hidden = [key for key in self._pictures if key not in self._visible]
        for key in hidden[: max(0, len(self._pictures) - MAX_PICTURES)]:
            self._discard(key)

    def _discard(self, key: _PictureKey) -> None:
        """Discard a picture, and delete its terminal image."""
        del self._pictures[key]
        if (image_id := self._image_ids.pop(key, None)) is not None:
            self._write(kitty.delete_sequence(image_id, self.options.multiplexer))

    def _write(self, sequences: str) -> None:
        if sequences:
            self._output().write(sequences)


def _key(box: ImageBox) -> _PictureKey:
    return box.image.path, box.columns, box.rows
