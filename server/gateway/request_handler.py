"""Types of the request handlers of all gateway modules."""

from collections.abc import Awaitable, Callable
from typing import Any

from server.engineio.connection import ClientConnection
from tui_chat.protocol import events, requests

RequestHandler = Callable[[ClientConnection, Any], Awaitable[events.WireStruct]]
"""Handler of requests of one type; a rejected request raises a `ChatError`."""

RequestHandlers = dict[type[requests.Request], RequestHandler]
"""Request handlers by request type."""
