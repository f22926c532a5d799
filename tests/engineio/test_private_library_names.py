"""Private names of python-socketio, python-engineio and aiohttp on which `server.engineio` depends."""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
import inspect
from typing import Any

import engineio
import pytest
import socketio
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from engineio.async_drivers import aiohttp as driver


def parameter_names(function: Any) -> list[str]:
    """Return the names of the parameters of a function, with `self` for a method of a class."""
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("owner", "name", "expected"),
    [
        (socketio.AsyncServer, "_engineio_server_class", ["self"]),
        (socketio.AsyncServer, "attach", ["self", "app", "socketio_path"]),
        (engineio.AsyncServer, "handle_request", ["self", "args", "kwargs"]),
        (engineio.AsyncServer, "generate_id", ["self"]),
    ],
)
def test_overridden_and_called_methods_have_the_expected_parameters(
    owner: type, name: str, expected: list[str]
) -> None:
    assert parameter_names(getattr(owner, name)) == expected


def test_every_route_calls_the_overridden_handle_request() -> None:
    source = inspect.getsource(driver.create_route)
    assert source.count("app.router.add") == source.count("engineio_server.handle_request") == 3


def test_a_websocket_parser_can_be_replaced() -> None:
    assert parameter_names(web.WebSocketResponse._post_start) == ["self", "request", "protocol", "writer"]
    assert "request.protocol.set_parser(" in inspect.getsource(web.WebSocketResponse._post_start)
    assert {"_message_tail", "_payload_parser"} <= set(RequestHandler.__slots__)
    assert parameter_names(RequestHandler._pause_reading_for_buffer) == ["self"]
    assert parameter_names(RequestHandler._resume_reading_for_buffer) == ["self"]
    assert "self._payload_parser.feed_data(data)" in inspect.getsource(RequestHandler.data_received)


def test_the_sockets_of_a_new_server_are_an_empty_dict() -> None:
    assert engineio.AsyncServer(async_mode="aiohttp").sockets == {}
