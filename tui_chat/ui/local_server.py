"""The server that the program has started itself, for as long as it runs."""

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
    """There is no server there; its text is one sentence for a person."""


class LocalServer:
    """At most one, listening or stopped."""

    def __init__(self) -> None:
        self._server: EmbeddedServer | None = None

    async def start(self, host: str, port: int) -> tuple[str, list[str]]:
        """Have a server there, which may be one that runs already.

        Returns:
            Its URL, and what is to be said of it.

        Raises:
            NotStarted: The address is taken by something else, or cannot be had.
        """
        embed = await asyncio.to_thread(importlib.import_module, "tui_chat.local_server")
        server: EmbeddedServer = embed.EmbeddedServer(host, port)
        try:
            url = await server.start()
        except embed.PortTaken as error:
            url = embed.local_url(host, port)
            if not await embed.is_chat_server(url):
                raise LocalServerError(error.message) from None
            return url, [tr(chat_strings.JOINED_EXISTING_SERVER)]
        except Unavailable as unavailable:
            raise LocalServerError(error_text.describe(unavailable)) from None
        self._server = server
        return url, embed.greeting(host, port, url)

    async def stop(self) -> None:
        """Stop it in order, if it runs."""
        server, self._server = self._server, None
        if server is not None:
            await asyncio.to_thread(server.close)

    def close_now(self) -> None:
        """The same when there is no event loop any more."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
