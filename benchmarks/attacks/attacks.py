"""Attacks on a server, by name."""

import gzip
from dataclasses import dataclass

from aiohttp import WSMsgType

from benchmarks.attacks.preparation import Preparation, joined_members, messages_with_reactions, no_preparation
from benchmarks.attacks.traffic import (
    Flood,
    flood_over_polling,
    flood_with_joins,
    frame_flood,
    packet_flood,
    request_flood,
    silent_connections,
)
from tests.support.raw_websocket import ZERO_MASK, encode_frame
from tui_chat.protocol.limits import HISTORY_PAGE

MEMBERS = 2000
"""Number of members of a large room."""

_SHORT_TIMEOUT = ("--connect-timeout", "1")  # seconds; the default of 10 exceeds the duration of an attack


@dataclass(frozen=True)
class Attack:
    """Attack on a new server.

    Attributes:
        flood: Traffic of the attack.
        prepare: State of the server before the attack.
        server_flags: Additional flags of the server.
        max_files: Maximum number of open files of the server; None for the limit of this process.
        uses_tls: The server has a certificate.
    """

    flood: Flood
    prepare: Preparation = no_preparation
    server_flags: tuple[str, ...] = ()
    max_files: int | None = None
    uses_tls: bool = False


GZIP_BODY = gzip.compress(bytes(32_000_000))
COMPRESSED = "POST {path} HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Type: application/json"
NUMBERS_AND_NAN = ",".join(["1"] * 30_000 + ["NaN"])
FIRST_FRAGMENT, CONTINUATION = b"\x01\x81" + ZERO_MASK + b"4", b"\x00\x80" + ZERO_MASK  # not final, RFC 6455

ATTACKS: dict[str, Attack] = {
    "compressed bodies": Attack(request_flood(COMPRESSED.format(path="/"), GZIP_BODY)),
    "compressed poll bodies": Attack(
        request_flood(COMPRESSED.format(path="/socket.io/?EIO=4&transport=polling"), GZIP_BODY)
    ),
    "malformed HTTP": Attack(request_flood("GET \x01 HTTP/9.9\r\nBad Header")),
    "requests of pages": Attack(request_flood("GET / HTTP/1.1")),
    "idle HTTP connections": Attack(silent_connections(b"", 500), server_flags=_SHORT_TIMEOUT),
    "descriptor exhaustion": Attack(silent_connections(b"", 500), max_files=128),
    "silent TLS connections": Attack(silent_connections(b"", 500), server_flags=_SHORT_TIMEOUT, uses_tls=True),
    "slow headers": Attack(
        silent_connections(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", 200), server_flags=_SHORT_TIMEOUT
    ),
    "slow second headers": Attack(
        silent_connections(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", 200),
        server_flags=_SHORT_TIMEOUT,
    ),
    "polling handshakes": Attack(request_flood("GET /socket.io/?EIO=4&transport=polling HTTP/1.1")),
    "unknown polling sessions": Attack(request_flood("POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1", b"6")),
    "packets over polling": Attack(flood_over_polling),
    "WebSocket pings": Attack(frame_flood(encode_frame(WSMsgType.PING, b""))),
    "noop packets": Attack(packet_flood("6")),
    "pong packets": Attack(packet_flood("3")),
    "unknown acknowledgements": Attack(packet_flood("430[]")),
    "refused requests": Attack(packet_flood('421["history",{"room":"other","after":0}]')),
    "invalid requests": Attack(packet_flood('421["sendMessage",{"room":7}]')),
    "not-a-number values": Attack(packet_flood('421["history",{"room":"attack","after":NaN}]')),
    "long not-a-number values": Attack(packet_flood(f'421["history",[{NUMBERS_AND_NAN}]]', batch=1)),
    "lone surrogates": Attack(packet_flood('421["sendMessage",{"room":"attack","message":"\\ud83d"}]')),
    "empty fragments": Attack(frame_flood(CONTINUATION, first=FIRST_FRAGMENT)),
    "messages": Attack(packet_flood('421["sendMessage",{"room":"attack","message":"x"}]')),
    "edits": Attack(
        packet_flood(*(f'421["editMessage",{{"room":"attack","seq":{seq},"message":"x"}}]' for seq in range(1, 5)))
    ),
    "topics": Attack(
        packet_flood('421["setTopic",{"room":"attack","topic":"a"}]', '422["setTopic",{"room":"attack","topic":"b"}]')
    ),
    "reactions": Attack(
        packet_flood(
            *(
                f'421["react",{{"room":"attack","seq":1,"emoji":"{letter}","on":true}}]'
                for letter in "abcdefghijklmnopqrstuvwxyz"
            ),
            batch=10,
        )
    ),
    "reads of reactions": Attack(
        packet_flood(f'421["history",{{"room":"attack","after":0,"limit":{HISTORY_PAGE}}}]', batch=5),
        prepare=messages_with_reactions(HISTORY_PAGE),
    ),
    "typing": Attack(packet_flood('42["typing",{"room":"attack","on":true}]')),
    "searches": Attack(packet_flood('421["search",{"query":"x"}]')),
    "joins": Attack(flood_with_joins),
    "joins of a large room": Attack(
        packet_flood(
            '421["leaveRoom",{"room":"attack"}]', '422["joinRoom",{"roomName":"attack","nickName":"x"}]', batch=20
        ),
        prepare=joined_members(MEMBERS, "member {number}"),
    ),
    "member lists of a large room": Attack(
        packet_flood('421["listMembers",{"room":"attack"}]', batch=20),
        prepare=joined_members(MEMBERS, "member {number}"),
    ),
    "equal nicknames": Attack(
        packet_flood(
            '421["leaveRoom",{"room":"attack"}]',
            '422["joinRoom",{"roomName":"attack","nickName":"mallory"}]',
            batch=20,
        ),
        prepare=joined_members(MEMBERS, "mallory"),
    ),
    "renames": Attack(packet_flood('421["changeNick",{"nickName":"a"}]', '422["changeNick",{"nickName":"b"}]')),
}
"""Attacks by name."""
