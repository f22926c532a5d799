"""Page object of the browser client."""

import json
import re
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, Page, WebSocketRoute, expect

from server.app import RunningServer
from server.gateway.account_service import IssuedToken
from tests.support.accounts import create_account
from tests.support.browser import Browser, BrowserTab

UNREACHABLE_ERRORS = ("net::ERR_", "WebSocket connection to")
"""Console errors that Chromium reports for an unreachable server."""

_PASTE = """([selector, text, files]) => {
  const clipboardData = new DataTransfer();
  if (text) clipboardData.setData("text/plain", text);
  for (const bytes of files) clipboardData.items.add(new File([new Uint8Array(bytes)], "file"));
  const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
  return !document.querySelector(selector).dispatchEvent(event);
}"""


@dataclass
class ChatPage:
    """Browser tab with one room."""

    tab: BrowserTab

    @property
    def page(self) -> Page:
        """Page of the tab."""
        return self.tab.page

    @property
    def messages(self) -> Locator:
        """Texts of all messages, including unsent ones."""
        return self.page.locator("#timeline-lines .message-text")

    @property
    def rows(self) -> Locator:
        """Rows of all messages."""
        return self.page.locator("#timeline-lines .message")

    @property
    def composer(self) -> Locator:
        """Text field of the composer."""
        return self.page.locator("#composer-input")

    async def join_room(self, url: str, nick: str, room: str = "tea") -> None:
        """Open the page and submit the join form."""
        await self.page.goto(f"{url}/#{room}")
        await expect(self.page.locator("#join-room")).to_have_value(room)
        await self.page.locator("#join-nick").fill(nick)
        await self.page.locator("#join-submit").click()
        await expect(self.composer).to_be_visible()

    async def open_room(self, room: str) -> None:
        """Join another room with a command, and wait for its members."""
        await self.send_message(f"/join {room}")
        await self.expect_room(room)

    async def expect_room(self, room: str) -> None:
        """Wait until the visible room has this name, and the server has confirmed its join."""
        await expect(self.page.locator("#room-name")).to_have_text(room)
        await expect(self.page.locator("#member-list .member")).not_to_have_count(0)

    async def send_message(self, text: str) -> None:
        """Fill the composer and press Enter."""
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def paste(self, text: str = "", *files: bytes, selector: str = "#composer-input") -> bool:
        """Dispatch a paste event with a text and the bytes of files; return whether the page handled the event."""
        return await self.page.evaluate(_PASTE, [selector, text, [list(file) for file in files]])

    async def set_join_visibility(self, visibility: str) -> None:
        """Change the setting for join and leave notices to `all`, `smart` or `none`."""
        await self.page.locator("#settings-open").click()
        await self.page.locator(f"#joins-options [value={visibility}]").check()
        await self.page.keyboard.press("Escape")

    async def open_member(self, nick: str) -> None:
        """Open the dialog of a member."""
        await self.page.locator("#member-list .member", has_text=nick).click()

    async def open_list(self, command: str) -> Locator:
        """Open a list dialog with a command, and return its rows."""
        await self.send_message(command)
        await expect(self.page.locator("#list-dialog")).to_be_visible()
        return self.page.locator("#list-rows li")

    async def expect_messages(self, *texts: str) -> None:
        """Wait for exactly these messages, in order, each with or without an edit mark."""
        patterns = [re.compile(f"^{re.escape(text)}( \\(edited\\))?$") for text in texts]
        await expect(self.messages).to_have_text(patterns)

    async def expect_all_sent(self) -> None:
        """Wait until the visible room has no unsent or failed message and no pending change."""
        await expect(
            self.page.locator("#timeline-lines .message:is(.pending, .sent, .failed, .change-pending)")
        ).to_have_count(0)

    async def expect_connection_state(self, state: str = "online") -> None:
        """Wait for a connection state."""
        await expect(self.page.locator("#connection")).to_have_attribute("data-state", state)

    async def go_offline(self) -> None:
        """Disconnect the network of the browser context, and wait for the connection state."""
        await self.tab.context.set_offline(True)
        await self.expect_connection_state("offline")

    async def unfocus(self) -> None:
        """Let the page act as if another window had the focus."""
        await self.page.evaluate("() => { document.hasFocus = () => false; dispatchEvent(new Event('blur')); }")

    def assert_no_errors(self) -> None:
        """Assert that the console has no errors, warnings or uncaught exceptions."""
        assert self.tab.console_errors == []


async def reject_marked_texts(page: Page) -> None:
    """Replace each sent text that starts with `rejected` by a control character, which the server rejects."""

    def forward(route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        route.on_message(lambda message: server.send(re.sub('"rejected[^"]*"', r'"\\u0001"', str(message))))

    await page.route_web_socket("**/socket.io/**", forward)


async def open_chat_page(browser: Browser, url: str, nick: str, room: str = "tea", **context_options: Any) -> ChatPage:
    """Open a tab with separate storage and join a room."""
    chat_page = ChatPage(await browser.open_tab(**context_options))
    await chat_page.join_room(url, nick, room)
    return chat_page


async def log_in(chat_page: ChatPage, token: str, name: str, key: str = "chat.account") -> None:
    """Store the token of an account in the next pages of a tab.

    Args:
        chat_page: Tab.
        token: Token of the account.
        name: Account name and nickname.
        key: Storage key, which contains the path of the page.
    """
    account = json.dumps({"account": name, "nickName": name, "token": token})
    await chat_page.page.add_init_script(f"localStorage.setItem('{key}', JSON.stringify({account}))")


async def open_as_account(
    browser: Browser, server: RunningServer, name: str, issued: IssuedToken | None = None, **tab_options: Any
) -> ChatPage:
    """Open a tab that is logged in with a token, by default that of a new account, and join the room `lobby`."""
    issued = issued or await create_account(server, name)
    chat_page = ChatPage(await browser.open_tab(**tab_options))
    await log_in(chat_page, issued.token, name)
    await chat_page.join_room(server.url, name, "lobby")
    return chat_page
