"""TLS configuration and causes of failed connection attempts."""

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


def connect_error(error: BaseException) -> Unreachable:
    """Return the cause of a failed attempt from the exception chain."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case aiohttp.ClientConnectorDNSError():
                return Unreachable("host_unknown")
            case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
                return Unreachable("certificate_untrusted")
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return Unreachable("tls_missing")
            case aiohttp.WSServerHandshakeError(status=429 | 503):
                return Unreachable("server_full")
            case aiohttp.WSServerHandshakeError():
                return Unreachable("http_status_unexpected", status=cause.status)
            case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
                return Unreachable("connection_refused")
            case aiohttp.ClientConnectorError(os_error=TimeoutError()):
                return Unreachable("server_silent")
            case aiohttp.ClientConnectorError(os_error=os_error):
                return Unreachable("server_unreachable", problem=os_error.strerror or type(os_error).__name__)
            case aiohttp.InvalidURL():
                return Unreachable("address_invalid")
            case _:
                cause = cause.__cause__ or cause.__context__
    return Unreachable("not_chat_server")
