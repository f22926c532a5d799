"""Hyperlinks: detection, display of the target host, and confirmation before opening."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from server.app import RunningServer
from tests.support.chat_app import ChatAppDriver, chat_app_in_room
from tui_chat.client.client import ChatClient
from tui_chat.client.room import Room
from tui_chat.session.file_opener import has_local_display
from tui_chat.session.hyperlinks import find_hyperlinks, parse_host
from tui_chat.ui.screens.link import LinkScreen


@pytest.fixture(autouse=True)
def over_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate an SSH session, so that links are copied instead of opened in a browser."""
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")


@pytest.mark.parametrize(
    ("url_text", "host", "unicode_host"),
    [
        ("https://example.org/a?b=c#d", "example.org", ""),
        ("http://EXAMPLE.org:8080/", "example.org", ""),
        ("https://bank.example@evil.example/login", "evil.example", ""),
        ("https://bank.example%2f@evil.example/", "evil.example", ""),
        ("http://例え.jp/x", "xn--r8jz45g.jp", "例え.jp"),
        ("https://аррӏе.com/", "xn--80ak6aa92e.com", "аррӏе.com"),
        ("https://xn--80ak6aa92e.com/", "xn--80ak6aa92e.com", "аррӏе.com"),
        ("https://[2001:db8::1]:80/", "2001:db8::1", ""),
        ("https://[2001:db8::1/", "", ""),
        ("mailto:ann@example.org", "example.org", ""),
    ],
)
def test_the_parsed_host_is_the_real_target(url_text: str, host: str, unicode_host: str) -> None:
    (link,) = find_hyperlinks(f"see {url_text} there")
    assert link.url.isascii()
    assert parse_host(link.url) == (host, unicode_host)


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_links_are_printable_ascii_and_hosts_have_no_controls_for_any_text(text: str) -> None:
    for link in find_hyperlinks(f"https://{text} mailto:{text}"):
        assert all(0x20 < ord(character) < 0x7F for character in link.url)
        assert not any(
            ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0
            for part in parse_host(link.url)
            for character in part
        )


@asynccontextmanager
async def ann_and_bob(server: RunningServer, tmp_path: Path) -> AsyncGenerator[tuple[ChatAppDriver, Room]]:
    """Run the client of Ann, and join its room as Bob; yield the driver and the room of Bob."""
    async with chat_app_in_room(tmp_path, server.url, "ann") as ann, ChatClient(server.url) as bob:
        room = await bob.join("tea", nick="bob")
        await ann.wait_for_text("2 here")
        yield ann, room


async def send_and_wait(room: Room, ann: ChatAppDriver, text: str) -> None:
    """Send a message, and wait until Ann sees its first 20 characters."""
    await room.send(text)
    await ann.wait_for_text(text[:20])


async def test_o_on_a_selected_message_lists_the_link_targets_before_opening_or_reports_that_there_are_none(
    server: RunningServer, tmp_path: Path
) -> None:
    async with ann_and_bob(server, tmp_path) as (ann, room):

        def dialog_rows() -> list[str]:
            return [row.strip(" │▌") for row in ann.screen_text().splitlines()]

        await send_and_wait(room, ann, "nothing to see")
        await ann.press("ctrl+s", "o")
        await ann.wait_for_text("This message has no link")
        await ann.press("escape")
        await send_and_wait(room, ann, "one https://good.example/a two https://good.example@evil.example/b")
        await ann.press("ctrl+s", "o")
        await ann.wait_until(lambda: {"good.example", "evil.example"} <= set(dialog_rows()))
        assert dialog_rows().index("good.example") < dialog_rows().index("evil.example")
        assert ann.app.clipboard == ""
        await ann.press("down", "enter")
        await ann.wait_for_text("Copied the link to evil.example")
        assert ann.app.clipboard == "https://good.example@evil.example/b"


async def test_a_click_on_a_link_opens_a_confirmation_and_a_disguised_link_shows_its_real_host(
    server: RunningServer, tmp_path: Path
) -> None:
    async with ann_and_bob(server, tmp_path) as (ann, room):
        await send_and_wait(room, ann, "https://аррӏе.com/")
        await ann.wait_for_text("xn--80ak6aa92e.com)")
        await send_and_wait(room, ann, "https://pay.example@evil.example/")
        await ann.wait_for_text("evil.example)")
        await send_and_wait(room, ann, "http://例え.jp/x is new")
        rows = ann.screen_text().splitlines()
        y = next(index for index, row in enumerate(rows) if "例え" in row)
        await ann.pilot.click(offset=(rows[y].index("http") + 3, y))
        await ann.wait_for_text("xn--r8jz45g.jp  displayed as 例え.jp")
        assert isinstance(ann.app.screen, LinkScreen)
        await ann.press("escape")
        await ann.wait_until(lambda: ann.app.screen is ann.chat_screen)
        assert ann.app.clipboard == ""


async def test_a_room_link_joins_the_room_on_this_server(server: RunningServer, tmp_path: Path) -> None:
    async with ann_and_bob(server, tmp_path) as (ann, room):
        link = server.url.replace("http://", "chat://")
        await send_and_wait(room, ann, f"{link}/green%20tea")
        await ann.press("ctrl+s", "o")
        await ann.wait_for_text("Enter join")
        await ann.press("enter")
        await ann.wait_until(lambda: (view := ann.displayed_room) is not None and view.name == "green tea")
        await ann.wait_until(lambda: ann.sdk_room("green tea").was_joined)
        await ann.sdk_room("green tea").send(f"{server.url}/#/coffee?invite=code")
        await ann.wait_for_text("/#/coffee")
        await ann.press("ctrl+s", "o")
        await ann.wait_for_text("Enter join")
        await ann.press("enter")
        await ann.wait_until(lambda: (view := ann.displayed_room) is not None and view.name == "coffee")
        assert set(ann.chat_screen.session.rooms) == {"tea", "green tea", "coffee"}


def test_no_local_display_is_available_over_ssh_or_without_a_display_server() -> None:
    assert has_local_display({"DISPLAY": ":0"}, "linux")
    assert has_local_display({}, "darwin")
    assert not has_local_display({}, "linux")
    assert not has_local_display({"DISPLAY": ":0", "SSH_CONNECTION": "…"}, "linux")
