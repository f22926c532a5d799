"""Child process that decodes untrusted images into pixels (`tui_chat.ui.images.image_decoder`).

- Requests: standard input contains a header (`DecodeRequest`) as a line of JSON, then the file, repeatedly.
- Responses: standard output receives one byte, 1 for success or 0 for a rejected file. After a success, the pixels
  follow (`DecodeRequest.result_bytes`).
- Limits: the process limits its CPU time, memory, output and open files before it reads the first request. The number
  of pixels is checked before they are decoded.
- Only the first frame of an animation is decoded.
"""

import io
import os
import sys
from math import isqrt
from typing import BinaryIO

import msgspec

from tui_chat.process_limits import limit_process

CPU_SECONDS = 60
MEMORY_BYTES = 768 * 2**20

MAX_PIXELS = 2048 * 2048
"""Maximum number of pixels of a file."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
"""Accepted formats, in the names of Pillow."""

PALETTE_BYTES = 3 * 256

PALETTE_SAMPLE_PIXELS = 4_800
"""Approximate minimum number of pixels that determine the palette of an image; all pixels take ten times as long."""

_REDUCING_GAP = 3.0  # `Image.resize` first averages blocks of pixels, down to at least three times the final size


class DecodeRequest(msgspec.Struct, frozen=True):
    """Header of a request.

    Attributes:
        file_bytes: Size of the file.
        width: Width of the scaled image in pixels.
        height: Height of the scaled image in pixels.
        canvas_width: Width of the result in pixels.
        canvas_height: Height of the result in pixels.
        background: Color of the canvas and of transparent pixels, as red, green and blue from 0 to 255.
        has_palette: The result consists of palette indexes, followed by the palette, instead of colors.
    """

    file_bytes: int
    width: int
    height: int
    canvas_width: int
    canvas_height: int
    background: tuple[int, int, int]
    has_palette: bool = False

    @property
    def result_bytes(self) -> int:
        """Size of the result: three bytes per pixel, or one byte per pixel and a palette of 256 colors."""
        pixels = self.canvas_width * self.canvas_height
        return pixels + PALETTE_BYTES if self.has_palette else 3 * pixels


def decode_image(content: bytes, request: DecodeRequest) -> bytes | None:
    """Return the pixels of the image, scaled to `width` × `height`, at the left of the canvas and vertically centered.

    The EXIF orientation is applied, and transparent pixels have the background color.

    Returns:
        Red, green and blue of each pixel, row by row; with `has_palette`, the index of each pixel, followed by red,
        green and blue of 256 colors. None for more than `MAX_PIXELS`, another format, and any decoding error.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 (after `limit_process`, and only in the child process)

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            image.draft("RGB", (request.width, request.height))
            upright = ImageOps.exif_transpose(image)
            colors = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        frame = colors.resize((request.width, request.height), reducing_gap=_REDUCING_GAP)
        canvas = Image.new("RGB", (request.canvas_width, request.canvas_height), request.background)
        top = (request.canvas_height - request.height) // 2
        canvas.paste(frame, (0, top), frame if frame.mode == "RGBA" else None)
        if not request.has_palette:
            return canvas.tobytes()
        step = max(1, isqrt(canvas.width * canvas.height // PALETTE_SAMPLE_PIXELS))
        sample_size = (max(1, canvas.width // step), max(1, canvas.height // step))
        sample = canvas.resize(sample_size, Image.Resampling.NEAREST)
        palette = sample.quantize(256, Image.Quantize.MEDIANCUT)
        indexed = canvas.quantize(palette=palette, dither=Image.Dither.NONE)
        return indexed.tobytes() + bytes(indexed.getpalette() or []).ljust(PALETTE_BYTES, b"\0")
    except Exception:
        return None


def _handle_requests(requests: BinaryIO, responses: BinaryIO) -> None:
    """Decode the requested images one after another, until the end of the input."""
    while header := requests.readline():
        request = msgspec.json.decode(header, type=DecodeRequest)
        pixels = decode_image(requests.read(request.file_bytes), request)
        responses.write(b"\0" if pixels is None else b"\1" + pixels)
        responses.flush()


if __name__ == "__main__":
    limit_process(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES, output_bytes=0)
    with os.fdopen(0, "rb") as standard_input, os.fdopen(1, "wb") as standard_output:
        _handle_requests(standard_input, standard_output)
    sys.exit()
