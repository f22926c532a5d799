import pytest
from hypothesis import given, strategies as st

from tui_chat.client.errors import InvalidAddress
from tui_chat.client.net.address import Address, parse_address
from tui_chat.protocol.error_reasons import SDK_MESSAGES


@pytest.mark.parametrize(
    ("given_text", "base_url", "room"),
    [
        ("localhost", "http://localhost:3000", None),
        ("  chat.example.org  ", "http://chat.example.org:3000", None),
        ("Chat.Example.org:8080", "http://chat.example.org:8080", None),
        ("192.168.1.7:3000", "http://192.168.1.7:3000", None),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000", None),
        ("http://127.0.0.1:3000/", "http://127.0.0.1:3000", None),
        ("http://example.org", "http://example.org:80", None),
        ("https://example.org", "https://example.org:443", None),
        ("HTTPS://example.org:8443", "https://example.org:8443", None),
        ("chat://example.org/tea", "http://example.org:3000", "tea"),
        ("chat://example.org:4000/tea", "http://example.org:4000", "tea"),
        ("chats://example.org/tea", "https://example.org:3000", "tea"),
        ("chat://example.org", "http://example.org:3000", None),
        ("chat://example.org/%E8%8C%B6", "http://example.org:3000", "茶"),
        ("chat://example.org/茶馆", "http://example.org:3000", "茶馆"),
        ("chat://example.org/c#", "http://example.org:3000", "c#"),
        ("chat://example.org/what?", "http://example.org:3000", "what?"),
        ("chats://example.org:3000/%E8%8C%B6%20%2F", "https://example.org:3000", "茶 /"),
        ("example.org/tea", "http://example.org:3000", "tea"),
        ("[::1]", "http://[::1]:3000", None),
        ("[::1]:4000", "http://[::1]:4000", None),
        ("::1", "http://[::1]:3000", None),
        ("fe80::1", "http://[fe80::1]:3000", None),
        ("chat://[2001:DB8::1]:4000/tea", "http://[2001:db8::1]:4000", "tea"),
        ("https://[::1]", "https://[::1]:443", None),
        ("服务器.example", "http://服务器.example:3000", None),
    ],
)
def test_address_spellings_are_normalized(given_text: str, base_url: str, room: str | None) -> None:
    assert parse_address(given_text) == Address(base_url, room)


@pytest.mark.parametrize(
    ("given_text", "reason"),
    [
        ("", "enter a server address"),
        ("   ", "enter a server address"),
        ("ftp://example.org", "unknown scheme"),
        ("http://", "name is missing"),
        (":3000", "name is missing"),
        ("example.org:", "port is missing"),
        ("example.org:0", "between 1 and 65535"),
        ("example.org:65536", "between 1 and 65535"),
        ("example.org:abc", "between 1 and 65535"),
        ("example.org:٣", "between 1 and 65535"),
        ("a:b:c", "IPv6"),
        ("[::1", "IPv6"),
        ("[zz]", "IPv6"),
        ("[::1]x", "IPv6"),
        ("two words", "not a valid host name"),
        ("chat://two\twords/tea", "not a valid host name"),
        ("chat://two\nlines/tea", "not a valid host name"),
        ("https://example.org—and", "not a valid host name"),
        ("ann:secret@example.org", "password"),
        ("https://example.org/rooms/tea", "remove the path"),
    ],
)
def test_invalid_addresses_raise_a_readable_error(given_text: str, reason: str) -> None:
    with pytest.raises(InvalidAddress, match=reason) as caught:
        parse_address(given_text)
    assert caught.value.reason in SDK_MESSAGES


def test_the_invite_of_a_chat_url_is_parsed() -> None:
    assert parse_address("chat://host/~abc?invite=a-B_9") == Address("http://host:3000", "~abc", "a-B_9")
    assert parse_address("chat://host?invite=x").room is None


def test_the_room_and_invite_in_the_fragment_of_a_page_url_are_parsed() -> None:
    assert parse_address("http://host/#/~abc?invite=a-B_9") == Address("http://host:80", "~abc", "a-B_9")
    assert parse_address("https://host:8443#/green%20tea") == Address("https://host:8443", "green tea")
    assert parse_address("https://host/#/") == Address("https://host:443")


@given(st.text(max_size=60))
def test_arbitrary_text_parses_or_raises_a_readable_error(text: str) -> None:
    try:
        address = parse_address(text)
    except InvalidAddress as error:
        reason = error.reason
    else:
        assert parse_address(address.base_url).base_url == address.base_url
        return
    assert reason in SDK_MESSAGES
