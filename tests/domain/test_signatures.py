"""Signed values of the server: search cursors and URLs of uploads."""

import pytest

from server.domain.search_cursors import SearchCursors
from server.domain.uploads import URL_LIFETIME_MS, FilePath, SignedUrls, Upload
from tui_chat.protocol.errors import BadRequest
from tui_chat.protocol.events import Attachment

SECRET, OTHER_SECRET = b"s" * 32, b"t" * 32
NOW = 1_700_000_000_000
IMAGE = Upload(
    id="abcdefghij-_ABCDEFGHIJ",
    state="ready",
    member_id="ann",
    name="été 1/2?.png",
    type="image/png",
    size=5,
    width=640,
    height=480,
    has_preview=True,
    digest=b"",
    created_at=NOW,
)


@pytest.mark.parametrize("position", [0, 7, 2**64 - 1])
def test_a_cursor_is_valid_for_its_search_and_server_only(position: int) -> None:
    cursors = SearchCursors(SECRET)
    cursor = cursors.encode(position, "tea", "lounge")
    assert (len(cursor), cursors.encode(position, "tea", "lounge")) == (32, cursor)
    assert cursors.decode(cursor, "tea", "lounge") == position
    everywhere = cursors.encode(position, "tea", None)
    assert SearchCursors(SECRET).decode(everywhere, "tea", None) == position
    for server, query, room in (
        (cursors, "coffee", "lounge"),
        (cursors, "tea", "kitchen"),
        (cursors, "tea", None),
        (SearchCursors(OTHER_SECRET), "tea", "lounge"),
    ):
        with pytest.raises(BadRequest) as rejection:
            server.decode(cursor, query, room)
        assert rejection.value.reason == "cursor_invalid"


@pytest.mark.parametrize("cursor", ["", "x", "é", "A" * 32, "A" * 33, "0" * 100])
def test_a_malformed_cursor_is_rejected(cursor: str) -> None:
    with pytest.raises(BadRequest) as rejection:
        SearchCursors(SECRET).decode(cursor, "tea", None)
    assert rejection.value.reason == "cursor_invalid"


def test_an_upload_has_escaped_paths_of_the_file_and_its_preview() -> None:
    path = f"/api/uploads/{IMAGE.id}/%C3%A9t%C3%A9%201%2F2%3F.png"
    preview = f"/api/uploads/{IMAGE.id}.preview/preview.webp"
    attachment = Attachment(
        id=IMAGE.id, name=IMAGE.name, type="image/png", size=5, path=path, width=640, height=480, preview=preview
    )
    assert IMAGE.to_attachment() == attachment
    assert IMAGE.to_attachment(poster=IMAGE).poster == path
    assert FilePath.parse(path) == FilePath(IMAGE.id, is_preview=False)
    assert FilePath.parse(preview) == FilePath(IMAGE.id, is_preview=True)
    for other in (
        path + "?x=1",
        path + "/more",
        "/" + path,
        f"/api/uploads/{IMAGE.id[1:]}/x",
        f"/api/uploads/{IMAGE.id}/",
    ):
        assert FilePath.parse(other) is None


def test_a_signed_address_is_valid_for_its_file_and_server_until_it_expires() -> None:
    urls = SignedUrls(SECRET)
    path, _, parameters = urls.sign(IMAGE.path, NOW).partition("?expires=")
    expires, _, signature = parameters.partition("&signature=")
    assert path == IMAGE.path
    assert URL_LIFETIME_MS <= int(expires) - NOW < URL_LIFETIME_MS * 5 // 4
    file_path = FilePath(IMAGE.id, is_preview=False)
    assert urls.verify(file_path, expires, signature, int(expires) - 1)
    assert not urls.verify(file_path, expires, signature, int(expires))
    assert not urls.verify(FilePath(IMAGE.id, is_preview=True), expires, signature, NOW)
    assert not urls.verify(FilePath(IMAGE.id[::-1], is_preview=False), expires, signature, NOW)
    assert not SignedUrls(OTHER_SECRET).verify(file_path, expires, signature, NOW)
    later = str(int(expires) + 1)
    for other in ((later, signature), ("", signature), ("x", signature), ("9" * 16, signature), (expires, "\ud800é")):
        assert not urls.verify(file_path, *other, NOW)


def test_addresses_are_equal_for_a_quarter_of_their_lifetime() -> None:
    urls, quarter = SignedUrls(SECRET), URL_LIFETIME_MS // 4
    start = NOW // quarter * quarter + 1
    assert urls.sign(IMAGE.path, start) == urls.sign(IMAGE.path, start + quarter - 1)
    assert urls.sign(IMAGE.path, start) != urls.sign(IMAGE.path, start + quarter)
    with pytest.raises(ValueError, match="not the path of a file: /etc"):
        urls.sign("/etc", NOW)
