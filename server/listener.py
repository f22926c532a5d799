"""Listening socket of the server, and its TLS certificate."""

import asyncio
import errno
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from server.settings import ServerSettings

_FREE_PORT_ATTEMPTS = 10  # attempts to find a port that is free on all addresses of the host


class StartupError(Exception):
    """Startup failure with a one-line message for the operator."""


async def listen(connection_factory: Callable[[], asyncio.Protocol], settings: ServerSettings) -> asyncio.Server:
    """Listen on all addresses of the host, with the same port on each, even for port 0.

    The listener has no TLS: the protocols of `connection_factory` start TLS on their connections.

    Raises:
        StartupError: The host or the port is unavailable, or no port is free on all addresses.
    """
    loop = asyncio.get_running_loop()
    create_listener = partial(loop.create_server, connection_factory, settings.host, backlog=1024)
    try:
        for _ in range(_FREE_PORT_ATTEMPTS):
            listener = await create_listener(settings.port)
            # With port 0, the operating system selects a port for each address.
            ports: list[int] = [listening_socket.getsockname()[1] for listening_socket in listener.sockets]
            if len({*ports}) == 1:
                return listener
            listener.close()
            with suppress(OSError):  # another program uses this port of one of the addresses
                return await create_listener(ports[0])
        raise OSError(errno.EADDRINUSE, "no port is free on all addresses")
    except OSError as error:
        raise StartupError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}"
        ) from error


def describe_address(listener: asyncio.Server, settings: ServerSettings) -> tuple[str, int]:
    """Return the base URL for clients on the same machine, and the port of the listener.

    The host is that of the settings, with loopback in place of a wildcard address.
    """
    port: int = listener.sockets[0].getsockname()[1]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(settings.host, settings.host)
    netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"{'https' if settings.tls_cert else 'http'}://{netloc}", port


def create_tls_context(settings: ServerSettings) -> ssl.SSLContext:
    """Return a context with the certificate of the settings.

    Raises:
        StartupError: A file is unreadable or invalid.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _load_certificate(context, settings)
    return context


def reload_certificate(context: ssl.SSLContext, settings: ServerSettings) -> None:
    """Read the certificate again, for new connections.

    Raises:
        StartupError: A file is unreadable or invalid; nothing changes.
    """
    create_tls_context(settings)  # an invalid file would leave `context` without its key
    _load_certificate(context, settings)


def _load_certificate(context: ssl.SSLContext, settings: ServerSettings) -> None:
    """Read certificate and private key into a context; raise `StartupError` for an unusable file or a passphrase."""

    def refuse_passphrase() -> str:
        raise StartupError(f"{settings.tls_key}: the private key is encrypted; remove the passphrase")

    try:
        for path in map(Path, (settings.tls_cert, settings.tls_key)):
            if path.exists() and not path.is_file():
                raise StartupError(f"{path}: not a regular file")
            path.read_bytes()  # the error of OpenSSL has no file name
        context.load_cert_chain(settings.tls_cert, settings.tls_key, refuse_passphrase)
    except ssl.SSLError as error:
        reason = error.reason or error
        raise StartupError(f"{settings.tls_cert}: invalid certificate or private key ({reason})") from error
    except OSError as error:
        raise StartupError(f"{error.filename}: {error.strerror or error}") from error
