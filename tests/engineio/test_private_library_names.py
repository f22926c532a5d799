"""What `server.engineio` replaces or reads of the libraries' private parts is still there."""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
import inspect
from typing import Any

import engineio
import pytest
import socketio
from engineio.async_drivers import aiohttp as driver


def arguments(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("owner", "name", "expected"),
    [
        (socketio.AsyncServer, "_engineio_server_class", ["self"]),
        (socketio.AsyncServer, "attach", ["self", "app", "socketio_path"]),
        (engineio.AsyncServer, "handle_request", ["self", "args", "kwargs"]),
        (engineio.AsyncServer, "generate_id", ["self"]),
        (engineio.AsyncServer, "_cors_allowed_origins", ["self", "environ"]),
        (engineio.AsyncServer, "_cors_headers", ["self", "environ"]),
    ],
)
def test_a_method_that_is_replaced_or_called_has_the_same_arguments(
    owner: type, name: str, expected: list[str]
) -> None:
    assert arguments(getattr(owner, name)) == expected


def test_every_request_still_goes_through_what_is_replaced() -> None:
    source = inspect.getsource(driver.create_route)
    assert source.count("app.router.add") == source.count("engineio_server.handle_request") == 3


def test_the_rules_of_cors_read_nothing_but_what_they_are_given() -> None:
    source = inspect.getsource(engineio.AsyncServer._cors_headers)
    source += inspect.getsource(engineio.AsyncServer._cors_allowed_origins)
    ours = {"HTTP_ORIGIN", "REQUEST_METHOD", "HTTP_HOST", "HTTP_ACCESS_CONTROL_REQUEST_HEADERS"}
    forwarded = {"HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"}  # never given: a client could pretend them
    read = {word for word in source.replace('"', "'").split("'") if word.startswith(("HTTP_", "REQUEST_"))}
    assert read <= ours | forwarded


def test_the_sessions_are_still_a_table_by_id() -> None:
    assert engineio.AsyncServer(async_mode="aiohttp").sockets == {}
