"""Search for passwords, tokens and guest keys in files, logs, process lists and responses of a server."""

import json
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from tests.support.raw_client import raw_client
from tests.support.server_process import server_process

PASSWORDS = ("correct horse", "wrong horse!", "battery staple", "horse in broken json", "horse in a wrong field")
SECRET_FIELDS = {"token", "guestKey"}


class RecordingApi:
    """HTTP client that records all responses without the issued secrets.

    Attributes:
        responses: Headers and bodies of all responses.
        secrets: Tokens and guest keys to search for.
    """

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self.responses: list[str] = []
        self.secrets: list[str] = []

    async def send(
        self, method: str, path: str, body: Any = None, token: str = "", data: bytes | None = None
    ) -> dict[str, Any]:
        """Send a request and return the decoded response."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = json.dumps(body).encode() if data is None and body is not None else data
        async with self._session.request(method, self._url + path, data=data, headers=headers) as response:
            content: dict[str, Any] = {} if response.status == 204 else await response.json(content_type=None)
        self.secrets += [content[field] for field in SECRET_FIELDS & content.keys()]
        visible = {name: value for name, value in content.items() if name not in SECRET_FIELDS}
        self.responses.append(f"{dict(response.headers)} {json.dumps(visible)}")
        return content


async def use_all_secrets(api: RecordingApi, url: str) -> None:
    """Send passwords, tokens and guest keys in requests that accept them, and in invalid requests."""
    account = {"account": "ann", "password": PASSWORDS[0]}
    token = (await api.send("POST", "/api/accounts", account))["token"]
    await api.send("POST", "/api/accounts", account)
    await api.send("POST", "/api/sessions", account | {"password": PASSWORDS[1]})
    await api.send("POST", "/api/sessions", {"account": PASSWORDS[4], "password": [PASSWORDS[4]]})
    await api.send("POST", "/api/sessions", data=f'{{"account": "ann", "password": "{PASSWORDS[3]}"'.encode())
    await api.send("POST", "/api/sessions", account)
    await api.send("POST", "/api/me/password", {"password": PASSWORDS[0], "newPassword": PASSWORDS[2]}, token)
    await api.send("GET", "/api/sessions", token=token)
    await api.send("PATCH", "/api/me", {"about": "hi", "email": "ann@example.org"}, token)
    forged = "ct_" + "forged" * 7
    api.secrets.append(forged)
    await api.send("GET", "/api/me", token=forged)
    for sent_token in (token, forged):
        async with raw_client(url, connect=False) as client:
            await client.ws.send_str("40" + json.dumps({"token": sent_token}))
            await client.read_packet()
            if sent_token == token:
                await client.join("tea", "ann")
                await client.request("sendMessage", {"room": "tea", "message": "hi", "token": token})
    async with raw_client(url) as guest:
        guest_key = (await guest.join("tea", "bob"))["guestKey"]
        api.secrets.append(guest_key)
        await guest.request("joinRoom", {"roomName": "tea", "nickName": "bob", "guestKey": guest_key + "x"})
    await api.send("DELETE", "/api/sessions/current", token=token)
    await api.send("POST", "/api/sessions", account | {"password": PASSWORDS[2]})
    with socket.create_connection((url.rpartition("//")[2].split(":")[0], int(url.rpartition(":")[2]))) as connection:
        connection.sendall(f"POST /api/sessions HTTP/1.1\r\nAuthorization: Bearer {forged}\r\nBroken\r\n\r\n".encode())
        connection.recv(4096)


async def test_secrets_are_stored_as_hashes_only_and_neither_logged_nor_returned_again(tmp_path: Path) -> None:
    database = tmp_path / "data" / "chat.db"
    flags = ("--database", str(database), "--registration", "open", "--log-level", "debug")
    async with server_process(tmp_path, *flags) as server, ClientSession() as session:
        api = RecordingApi(session, server.url)
        await use_all_secrets(api, server.url)
        process = Path("/proc") / str(server.process.pid)
        places = {"process list": b"".join((process / name).read_bytes() for name in ("cmdline", "environ"))}
        places |= {file.name: file.read_bytes() for file in database.parent.iterdir() if file.is_file()}
        server.process.terminate()
        code, log = await server.wait_closed()
    assert code == 0
    places |= {"log": log.encode(), "responses": "\n".join(api.responses).encode()}
    places |= {f"{file.name} after the exit": file.read_bytes() for file in database.parent.iterdir() if file.is_file()}
    assert len(api.secrets) >= 4
    assert "closing connection" in log
    found = [
        (place, secret)
        for place, content in places.items()
        for secret in (*PASSWORDS, *api.secrets)
        if secret.encode() in content
    ]
    assert found == []
    with closing(sqlite3.connect(database)) as connection:
        ((password_hash,),) = connection.execute("SELECT password_hash FROM accounts")
        digests = [digest for (digest,) in connection.execute("SELECT digest FROM tokens")]
    assert password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert [len(digest) for digest in digests] == [32]
