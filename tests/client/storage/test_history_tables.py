"""Rows of the local history."""

import pytest

from tui_chat.client.storage.history_tables import decode, message_decoder
from tui_chat.client.storage.sqlite_file import CorruptDatabase


@pytest.mark.parametrize("body", [b"\0", b"[]", b'{"text":"\xff"}', b'{"unknown":' + b"[" * 10_000])
def test_an_undecodable_row_is_reported_as_corrupt(body: bytes) -> None:
    with pytest.raises(CorruptDatabase):
        decode(message_decoder, body)
