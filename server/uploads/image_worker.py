"""Child process that decodes one untrusted image and encodes it again (`server.uploads.image_processor`).

- Input and output: the image comes from standard input, which is a file. Standard output receives the new image and the
  preview, standard error one line of JSON (`ImageResult`).
- Limits: the process limits its CPU time, memory, output and open files before the read of the image. The number of
  pixels is checked before the decoding.
- Metadata: only pixels, durations of frames and repetitions survive. The orientation is applied to the pixels, and
  colors are converted to sRGB.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Any, BinaryIO

import msgspec

from tui_chat.process_limits import limit_process

CPU_SECONDS = 20
MEMORY_BYTES = 1024 * 2**20
OUTPUT_BYTES = 64 * 2**20

MAX_MEGAPIXELS = 40
"""Maximum number of millions of pixels of an image, summed over its frames."""

PREVIEW_PIXELS = 512
"""Maximum width and height of a preview."""

_MAX_FRAMES = 1_000
_QUALITY = 90
_AVIF_SPEED = 9  # of 0 to 10; lower speeds take more than `CPU_SECONDS` for a photo


ByteCount = Annotated[int, msgspec.Meta(ge=0, le=OUTPUT_BYTES)]


class ImageResult(msgspec.Struct):
    """Result of the process.

    Attributes:
        problem: `invalid`, `too_large`, or empty after a success.
        size: Size of the new image in bytes; the preview follows it.
        preview_size: Size of the preview in bytes, 0 without one.
        width: Width in pixels.
        height: Height in pixels.
    """

    problem: str = ""
    size: ByteCount = 0
    preview_size: ByteCount = 0
    width: int = 0
    height: int = 0


class ImageTooLargeError(Exception):
    """Image with too many pixels or frames."""


def reencode_image(source: BinaryIO, target: BinaryIO, expected_format: str) -> ImageResult:
    """Decode an image, encode it in the same format, and write the new image and its preview one after the other.

    Args:
        source: Image of one of the formats of `server.uploads.media_types.IMAGE_TYPES`.
        target: Empty file.
        expected_format: Format by the signature of the file, in the names of Pillow.

    Returns:
        The result. `problem` is `too_large` for too many pixels or frames and for a lack of memory, and `invalid` after
        any other error, which is not raised; the target may contain a part of the image then.
    """
    from PIL import Image  # noqa: PLC0415 (after `limit_process`, and only in the child process)

    Image.MAX_IMAGE_PIXELS = MAX_MEGAPIXELS * 1_000_000
    try:
        with Image.open(source, formats=(expected_format,)) as image:
            return _write_image(image, target)
    except (ImageTooLargeError, Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        return ImageResult("too_large")
    except Exception:
        return ImageResult("invalid")


def _write_image(image: Any, target: BinaryIO) -> ImageResult:
    """Encode all frames of an image, or the first one of a JPEG, and a WebP preview of an image above `PREVIEW_PIXELS`.

    Raises:
        ImageTooLargeError: The limits of pixels or frames are exceeded; nothing is decoded then.
    """
    is_jpeg = image.format in ("JPEG", "MPO")  # the further images of an MPO file are other views
    frame_count = 1 if is_jpeg else getattr(image, "n_frames", 1)
    if frame_count > _MAX_FRAMES or image.width * image.height * frame_count > MAX_MEGAPIXELS * 1_000_000:
        raise ImageTooLargeError
    frames = list(_decode_frames(image, frame_count))
    first = frames[0].convert("RGB") if is_jpeg and frames[0].mode == "RGBA" else frames[0]
    options: dict[str, Any] = {"format": "JPEG" if is_jpeg else image.format}
    if is_jpeg or image.format in ("WEBP", "AVIF"):
        options["quality"] = _QUALITY
    if image.format == "AVIF":
        options["speed"] = _AVIF_SPEED
    if frame_count > 1:
        options |= {"save_all": True, "append_images": frames[1:]}
        options["duration"] = [frame.info["duration"] for frame in frames]
        if "loop" in image.info:
            options["loop"] = image.info["loop"]
        for frame in frames:
            frame.info = {}
    first.save(target, **options)
    size = target.seek(0, io.SEEK_END)
    preview = b"" if max(first.size) <= PREVIEW_PIXELS else _encode_preview(first)
    target.write(preview)
    target.flush()
    return ImageResult(size=size, preview_size=len(preview), width=first.width, height=first.height)


def _decode_frames(image: Any, frame_count: int) -> Iterator[Any]:
    """Yield the frames in upright orientation and sRGB, in the mode L, RGB or RGBA; the duration is their metadata."""
    from PIL import ImageOps  # noqa: PLC0415 (as in `reencode_image`)

    for position in range(frame_count):
        image.seek(position)
        image.load()  # sets the duration
        duration = image.info.get("duration", 0)
        frame = _convert_colors(ImageOps.exif_transpose(image))
        frame.info = {"duration": duration}
        yield frame


def _convert_colors(frame: Any) -> Any:
    """Return a copy of a frame in the mode L, RGB or RGBA, converted from its color profile to sRGB.

    The color profile of a gray image is ignored, and so is a damaged one.
    """
    from PIL import ImageCms, ImageMath  # noqa: PLC0415 (as in `reencode_image`)

    profile = frame.info.get("icc_profile")
    if frame.mode.startswith("I;16") or frame.mode == "I":
        frame = ImageMath.lambda_eval(_scale_to_8_bits, frame=frame.convert("I")).convert("L")
    elif frame.mode in ("P", "PA", "LA", "La", "RGBa") or "transparency" in frame.info:
        frame = frame.convert("RGBA")
    elif frame.mode == "1":
        frame = frame.convert("L")
    if profile and frame.mode in ("RGB", "RGBA", "CMYK"):
        with suppress(ImageCms.PyCMSError, OSError):  # a damaged profile is ignored
            output_mode = "RGBA" if frame.mode == "RGBA" else "RGB"
            cms: Any = ImageCms  # without complete types
            target = cms.createProfile("sRGB")
            frame = cms.profileToProfile(frame, io.BytesIO(profile), target, outputMode=output_mode)
    return frame.copy() if frame.mode in ("L", "RGB", "RGBA") else frame.convert("RGB")


def _scale_to_8_bits(images: dict[str, Any]) -> Any:
    return images["frame"] / 256


def _encode_preview(image: Any) -> bytes:
    """Return an image as WebP, reduced to `PREVIEW_PIXELS` per side in the same proportions."""
    preview, encoded = image.copy(), io.BytesIO()
    preview.thumbnail((PREVIEW_PIXELS, PREVIEW_PIXELS))
    preview.save(encoded, format="WEBP", quality=_QUALITY)
    return encoded.getvalue()


if __name__ == "__main__":
    limit_process(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES, output_bytes=OUTPUT_BYTES, niceness=10)
    with open(0, "rb") as standard_input, open(1, "r+b") as standard_output:
        result = reencode_image(standard_input, standard_output, sys.argv[1])
    os.write(2, msgspec.json.encode(result) + b"\n")
