"""Verification of server certificates."""

import ssl
from pathlib import Path

import pytest
import trustme

from tests.support.hostile_server import hostile_server, respond_to_join
from tui_chat.client.client import ChatClient
from tui_chat.client.errors import Unreachable


async def test_certificates_are_verified_against_a_readable_authority_file(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] (trustme has no types)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    async with hostile_server(respond_to_join, context) as port:
        url = f"https://127.0.0.1:{port}"
        with pytest.raises(Unreachable, match="certificate is not trusted"):
            async with ChatClient(url):
                pass
        for file, reason in ((tmp_path / "missing", "No such file"), (Path(__file__), "no certificates found")):
            with pytest.raises(Unreachable, match=reason):
                async with ChatClient(url, ca_file=str(file)):
                    pass
        async with ChatClient(url, ca_file=str(ca_file)) as ann:
            assert (await ann.join("tea", nick="ann")).nick == "ann"


async def test_a_server_without_tls_is_reported() -> None:
    async with hostile_server(respond_to_join) as port:
        with pytest.raises(Unreachable, match="does not use TLS"):
            async with ChatClient(f"https://127.0.0.1:{port}"):
                pass
