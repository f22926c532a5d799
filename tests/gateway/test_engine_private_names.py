"""What `server.gateway.engine` replaces or reads of the libraries' private parts is still there."""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
import inspect
from typing import Any

import engineio
import pytest
import socketio
from engineio import async_socket, base_server
from engineio.async_drivers import aiohttp as driver

from server.gateway.engine import Socket


def arguments(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("owner", "name", "expected"),
    [
        (socketio.AsyncServer, "_engineio_server_class", ["self"]),
        (engineio.AsyncServer, "_handle_connect", ["self", "environ", "transport", "jsonp_index"]),
        (engineio.AsyncServer, "_ok", ["self", "packets", "headers", "jsonp_index"]),
        (engineio.AsyncServer, "_bad_request", ["self", "message"]),
        (async_socket.AsyncSocket, "send", ["self", "pkt"]),
        (async_socket.AsyncSocket, "close", ["self", "wait", "abort", "reason"]),
        (async_socket.AsyncSocket, "poll", ["self"]),
        (async_socket.AsyncSocket, "schedule_ping", ["self"]),
        (async_socket.AsyncSocket, "handle_get_request", ["self", "environ"]),
        (async_socket.AsyncSocket, "handle_post_request", ["self", "environ"]),
        (async_socket.AsyncSocket, "_upgrade_websocket", ["self", "environ"]),
    ],
)
def test_a_method_that_is_replaced_has_the_same_arguments(owner: type, name: str, expected: list[str]) -> None:
    assert arguments(getattr(owner, name)) == expected


def test_the_driver_still_translates_requests_through_its_table() -> None:
    assert driver._async["translate_request"] is driver.translate_request
    assert arguments(driver.translate_request) == ["request"]
    assert "self._async['translate_request']" in inspect.getsource(engineio.AsyncServer.handle_request)


def test_our_socket_has_every_attribute_that_the_library_reads() -> None:
    used = {"connected", "upgrading", "upgraded", "closing", "closed", "session", "sid", "server"}
    assigned = inspect.getsource(Socket.__init__)
    library = inspect.getsource(engineio.AsyncServer) + inspect.getsource(base_server.BaseServer)
    read = {name for name in vars(async_socket.AsyncSocket(_Server(), "x")) if f"socket.{name}" in library}
    assert read - {"queue"} <= used
    assert all(f"self.{name}" in assigned for name in used)


class _Server:
    def create_queue(self) -> None:
        return None


def test_the_library_still_leaves_requests_to_what_is_replaced() -> None:
    source = inspect.getsource(engineio.AsyncServer.handle_request)
    for call in (
        "self._handle_connect(environ, transport",
        "socket.handle_get_request(",
        "socket.handle_post_request(",
    ):
        assert call in source
