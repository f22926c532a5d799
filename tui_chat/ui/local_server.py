"""Chat server started by the client, with the lifetime of the app."""

import asyncio
import importlib
from typing import TYPE_CHECKING

from tui_chat.protocol.errors import Unavailable
from tui_chat.session import error_text
from tui_chat.session.i18n import tr
from tui_chat.session.strings import chat as chat_strings

if TYPE_CHECKING:
    from tui_chat.local_server import EmbeddedServer


class LocalServerError(Exception):
    """Failure to start a local server. The message is one sentence for the user."""


class LocalServer:
    """Handle of at most one local server."""

    def __init__(self) -> None:
        self._server: EmbeddedServer | None = None

    async def start(self, host: str, port: int) -> tuple[str, list[str]]:
        """Start a server, or use a chat server that already listens on the port. `stop` does not affect the latter.

        Call `stop` before a second start: the handle keeps only the newest server.

        Args:
            host: Listening address.
            port: Listening TCP port.

        Returns:
            Base URL of the server, and status lines for the user.

        Raises:
            LocalServerError: Another program uses the port, or the address is not available.
        """
        module = await asyncio.to_thread(importlib.import_module, "tui_chat.local_server")
        server: EmbeddedServer = module.EmbeddedServer(host, port)
        try:
            url = await server.start()
        except module.PortInUse as error:
            url = module.local_url(host, port)
            if not await module.is_chat_server(url):
                raise LocalServerError(error.message) from None
            return url, [tr(chat_strings.JOINED_EXISTING_SERVER)]
        except Unavailable as unavailable:
            raise LocalServerError(error_text.describe(unavailable)) from None
        self._server = server
        return url, module.join_instructions(host, port, url)

    async def stop(self) -> None:
        """Shut the server down in a worker thread, if one was started."""
        server, self._server = self._server, None
        if server is not None:
            await asyncio.to_thread(server.close)

    def close_now(self) -> None:
        """Shut the server down from synchronous code, after the event loop has ended."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
