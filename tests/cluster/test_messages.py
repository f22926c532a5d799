"""Decoding of bus messages."""

import msgspec
import pytest

from server.cluster.messages import decode_message


@pytest.mark.parametrize("body", [b"", b"[]", b'{"id":"\xff"}', b'{"unknown":' + b"[" * 10_000])
def test_an_invalid_message_is_logged_and_ignored(body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    decoder = msgspec.json.Decoder(msgspec.defstruct("Command", [("id", str)]))
    assert decode_message(decoder, body) is None
    assert [record.levelname for record in caplog.records] == ["WARNING"]
