"""Decoding of hostile files in a child process."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from PIL import Image

from tests.support.process_limits import read_limits
from tests.support.uploads import encode_image, forge_png
from tests.support.wait import wait_until
from tui_chat.ui.images.image_decoder import ImageDecoder, ImageRejected
from tui_chat.ui.images.image_worker import CPU_SECONDS, MAX_PIXELS, MEMORY_BYTES, DecodeRequest

RED, GREEN = (255, 0, 0), (0, 255, 0)


@pytest.fixture
async def decoder() -> AsyncGenerator[ImageDecoder]:
    decoder = ImageDecoder()
    yield decoder
    await decoder.close()


def request_for(content: bytes, *, has_palette: bool = False) -> DecodeRequest:
    """Return a request for an image of 4×2 pixels, centered on a green canvas of 5×4."""
    return DecodeRequest(len(content), 4, 2, 5, 4, GREEN, has_palette)


async def test_images_are_scaled_onto_their_canvas_and_rejected_files_do_not_end_the_child(
    decoder: ImageDecoder,
) -> None:
    expected = bytes(GREEN) * 5 + (bytes(RED) * 4 + bytes(GREEN)) * 2 + bytes(GREEN) * 5
    image = Image.new("RGB", (400, 200), RED)
    animation = encode_image(
        image.quantize(2), "GIF", save_all=True, append_images=[Image.new("P", (400, 200))], duration=100
    )
    for content in (encode_image(image), encode_image(image, "WEBP", lossless=True), animation):
        assert await decoder.decode(content, request_for(content)) == expected
    jpeg = encode_image(image, "JPEG", quality=100)
    assert max(abs(a - b) for a, b in zip(await decoder.decode(jpeg, request_for(jpeg)), expected, strict=True)) < 8
    transparent = encode_image(Image.new("RGBA", (400, 200), (255, 0, 0, 0)))
    assert await decoder.decode(transparent, request_for(transparent)) == bytes(GREEN) * 20
    content = encode_image(image)
    child = decoder.child_pid
    for rejected in (
        b"", b"\x1b]0;title\a", content[:-30], encode_image(image, "BMP"), encode_image(image, "TIFF"),
        encode_image(image, "AVIF"), forge_png(MAX_PIXELS + 1, 1, b""), forge_png(60_000, 60_000, bytes(60_000)),
    ):  # fmt: skip
        with pytest.raises(ImageRejected):
            await decoder.decode(rejected, request_for(rejected))
    indexed = await decoder.decode(content, request_for(content, has_palette=True))
    assert len(indexed) == 20 + 768
    assert indexed[20 + 3 * indexed[5] :][:3] == bytes(RED)
    half_green = Image.new("RGB", (400, 200), RED)
    half_green.paste(GREEN, (0, 0, 200, 200))
    content = encode_image(half_green)
    indexed = await decoder.decode(content, DecodeRequest(len(content), 400, 200, 400, 200, GREEN, has_palette=True))
    colors = [indexed[80_000 + 3 * index :][:3] for index in (indexed[0], indexed[199], indexed[200], indexed[79_999])]
    assert colors == [bytes(GREEN), bytes(GREEN), bytes(RED), bytes(RED)]
    assert decoder.child_pid == child


async def test_the_child_has_resource_limits_and_is_replaced_after_its_end(decoder: ImageDecoder) -> None:
    content = encode_image(Image.new("RGB", (4, 2), RED))
    await decoder.decode(content, request_for(content))
    assert decoder.child_pid is not None
    limits = {"cpu": CPU_SECONDS, "memory": MEMORY_BYTES, "output": 0, "files": 32, "core": 0}
    assert read_limits(decoder.child_pid) == limits
    os.kill(decoder.child_pid, signal.SIGKILL)
    with pytest.raises(ImageRejected):
        await decoder.decode(content, request_for(content))
    assert len(await decoder.decode(content, request_for(content))) == 60


async def test_a_cancelled_request_does_not_affect_the_next(decoder: ImageDecoder) -> None:
    large = encode_image(Image.effect_noise((1024, 1024), 90))
    cancelled = asyncio.create_task(decoder.decode(large, request_for(large)))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    content = encode_image(Image.new("RGB", (4, 2), RED))
    assert (await decoder.decode(content, request_for(content)))[15:18] == bytes(RED)


async def test_a_cancellation_ends_a_child_in_the_middle_of_its_result(
    decoder: ImageDecoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "child"
    program.write_text(f"#!/bin/sh\nprintf '\\001'; touch {tmp_path}/started; exec yes\n")
    program.chmod(0o700)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(program))
        endless = asyncio.create_task(decoder.decode(b"", DecodeRequest(0, 1, 1, 20_000, 20_000, GREEN)))
        await wait_until((tmp_path / "started").exists)
        endless.cancel()
        with pytest.raises(asyncio.CancelledError):
            await endless
    assert decoder.child_pid is None
    content = encode_image(Image.new("RGB", (4, 2), RED))
    assert (await decoder.decode(content, request_for(content)))[15:18] == bytes(RED)
