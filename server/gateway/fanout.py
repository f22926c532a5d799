"""From one entry to everybody in the room: encoded once, pushed to each connection.

A push only puts the finished frame behind what the connection has yet to get.
The engine joins what one tick owes a connection into one write, so neither a
task nor an encoding is made per recipient.
"""

from server.domain.rooms import Room
from server.gateway import packets
from server.gateway.connection import Connection
from server.gateway.frames import Frame
from server.protocol.codec import encode_push
from server.protocol.entries import Wire


def push_frame(event: str, body: Wire) -> Frame:
    """The push as everybody gets it."""
    return Frame(packets.event(encode_push(event, body)))


def to_room(room: Room[Connection], frame: Frame, but: Connection | None = None) -> None:
    """Give every connection in the room the frame, except one."""
    for connection in room.connections:
        if connection is not but:
            connection.push(frame)
