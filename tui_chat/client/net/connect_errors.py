"""TLS configuration and readable causes of failed connection attempts."""

import ssl

import aiohttp

from tui_chat.client.errors import Unreachable


def create_ssl_context(url: str, ca_file: str | None) -> ssl.SSLContext | bool:
    """Return the `ssl` argument of aiohttp for a server; True for the trusted certificates of the system.

    Args:
        url: Base URL of the server.
        ca_file: PEM file with trusted certificates, None for the system's.

    Raises:
        Unreachable: The certificates cannot be read.
    """
    if not url.startswith("https:"):
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise Unreachable("ca_file_empty", file=str(ca_file)) from None
    except OSError as error:
        raise Unreachable("ca_file_unreadable", file=str(ca_file), problem=error.strerror or "cannot be read") from None


def connect_error_text(error: BaseException) -> str:
    """Return the readable cause of a failed attempt from the exception chain."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case aiohttp.ClientConnectorDNSError():
                return "unknown host name"
            case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
                return "the server's certificate is not trusted"
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return "the server does not use TLS on this port"
            case aiohttp.WSServerHandshakeError(status=429 | 503):
                return "the server accepts no more connections"
            case aiohttp.WSServerHandshakeError():
                return f"not a chat server (HTTP status {cause.status})"
            case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
                return "no server at this address and port"
            case aiohttp.ClientConnectorError(os_error=TimeoutError()):
                return "the server does not respond"
            case aiohttp.ClientConnectorError(os_error=os_error):
                return f"the server cannot be reached ({os_error.strerror or type(os_error).__name__})"
            case aiohttp.InvalidURL():
                return "the address is not valid"
            case _:
                cause = cause.__cause__ or cause.__context__
    return "not a chat server"
