"""State machine of a session: all pairs of state and event."""

import asyncio
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import product

import pytest

from server.engineio.packets import Frame
from server.engineio.session import EngineIOSession
from server.engineio.session_state import (
    ENDING_STATES,
    WEBSOCKET_STATES,
    IllegalTransition,
    SessionState,
    TransitionEvent,
    get_next_state,
)
from tests.support.session_host import RecordingHost

EXPECTED = """
                  PROBE    PROBE_ANSWERED   PROBE_ENDED      ATTACH             CLOSE              END
POLLING           PROBING  -                -                WEBSOCKET          CLOSING_POLLING    CLOSED
PROBING           -        UPGRADING        POLLING          -                  CLOSING_POLLING    CLOSED
UPGRADING         -        -                POLLING          WEBSOCKET          CLOSING_POLLING    CLOSED
WEBSOCKET         -        -                -                -                  CLOSING_WEBSOCKET  CLOSED
CLOSING_POLLING   -        CLOSING_POLLING  CLOSING_POLLING  CLOSING_WEBSOCKET  CLOSING_POLLING    CLOSED
CLOSING_WEBSOCKET -        -                -                -                  CLOSING_WEBSOCKET  CLOSED
CLOSED            -        CLOSED           CLOSED           CLOSED             CLOSED             CLOSED
"""
"""Expected next state by state and event; `-` is an illegal transition."""

PATHS: dict[SessionState, list[TransitionEvent]] = {
    SessionState.POLLING: [],
    SessionState.PROBING: [TransitionEvent.PROBE],
    SessionState.UPGRADING: [TransitionEvent.PROBE, TransitionEvent.PROBE_ANSWERED],
    SessionState.WEBSOCKET: [TransitionEvent.ATTACH],
    SessionState.CLOSING_POLLING: [TransitionEvent.CLOSE],
    SessionState.CLOSING_WEBSOCKET: [TransitionEvent.ATTACH, TransitionEvent.CLOSE],
    SessionState.CLOSED: [TransitionEvent.END],
}
"""Events that lead from a new session to a state."""

PAIRS = list(product(SessionState, TransitionEvent))


def expected_state(state: SessionState, event: TransitionEvent) -> SessionState | None:
    """Return the state of `EXPECTED`, or None for an illegal transition."""
    header, *rows = (line.split() for line in EXPECTED.strip().splitlines())
    names = next(row for row in rows if row[0] == state.name)
    name = names[1 + header.index(event.name)]
    return None if name == "-" else SessionState[name]


@asynccontextmanager
async def connected_transport() -> AsyncGenerator[asyncio.Transport]:
    """Provide a transport with a connected peer."""
    peer, connected = socket.socketpair()
    with peer:
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=connected)
        yield transport
        transport.abort()


def apply_event(session: EngineIOSession, event: TransitionEvent, transport: asyncio.Transport) -> None:
    """Call the method of the session that causes an event."""
    match event:
        case TransitionEvent.PROBE:
            session.begin_probe(None)
        case TransitionEvent.PROBE_ANSWERED:
            session.answer_probe()
        case TransitionEvent.PROBE_ENDED:
            session.end_probe()
        case TransitionEvent.ATTACH:
            session.attach_websocket(transport)
        case TransitionEvent.CLOSE:
            session.close("test")
        case TransitionEvent.END:
            session.finalize()


@pytest.mark.parametrize(("state", "event"), PAIRS)
def test_each_event_has_its_next_state_or_is_illegal(state: SessionState, event: TransitionEvent) -> None:
    expected = expected_state(state, event)
    if expected is None:
        with pytest.raises(IllegalTransition, match=f"event {event.name} in state {state.name}"):
            get_next_state(state, event)
    else:
        assert get_next_state(state, event) is expected


@pytest.mark.parametrize(("state", "event"), PAIRS)
async def test_a_session_follows_the_state_machine(state: SessionState, event: TransitionEvent) -> None:
    host = RecordingHost()
    session = EngineIOSession(host, "sid", "127.0.0.1")
    async with connected_transport() as transport:
        session.push(Frame(b"0{}"))  # a closing polling session stays open until a poll fetches its frames
        for step in PATHS[state]:
            apply_event(session, step, transport)
        assert session.state is state
        expected = expected_state(state, event)
        if expected is None:
            with pytest.raises(IllegalTransition):
                apply_event(session, event, transport)
            assert session.state is state
        else:
            apply_event(session, event, transport)
            assert session.state is expected
    assert host.closed == [session] * (session.state is SessionState.CLOSED)
    assert host.aborts == {}


@pytest.mark.parametrize("state", SessionState)
async def test_an_abort_ends_a_session_in_any_state_once(state: SessionState) -> None:
    host = RecordingHost()
    session = EngineIOSession(host, "sid", "127.0.0.1")
    async with connected_transport() as transport:
        session.push(Frame(b"0{}"))
        for step in PATHS[state]:
            apply_event(session, step, transport)
        session.abort("first")
        session.abort("second")
    assert session.state is SessionState.CLOSED
    assert host.closed == [session]
    assert host.aborts == ({} if state is SessionState.CLOSED else {"first": 1})


@pytest.mark.parametrize("state", [SessionState.PROBING, SessionState.UPGRADING])
async def test_the_end_of_a_session_closes_the_transport_of_its_probe(state: SessionState) -> None:
    session = EngineIOSession(RecordingHost(), "sid", "127.0.0.1")
    async with connected_transport() as transport:
        session.begin_probe(transport)
        if state is SessionState.UPGRADING:
            session.answer_probe()
        session.finalize()
        assert transport.is_closing()


async def test_the_transport_of_an_ended_probe_stays_open() -> None:
    session = EngineIOSession(RecordingHost(), "sid", "127.0.0.1")
    async with connected_transport() as transport:
        session.begin_probe(transport)
        session.end_probe()
        session.finalize()
        assert not transport.is_closing()


async def test_a_closing_polling_session_without_frames_ends_immediately() -> None:
    session = EngineIOSession(RecordingHost(), "sid", "127.0.0.1")
    session.close("test")
    assert session.state is SessionState.CLOSED


async def test_a_closing_session_is_aborted_after_its_deadline() -> None:
    host = RecordingHost()
    session = EngineIOSession(host, "sid", "127.0.0.1")
    session.push(Frame(b"0{}"))
    session.close("test")
    session.tick(time.monotonic())
    assert session.state is SessionState.CLOSING_POLLING
    session.tick(time.monotonic() + host.options.close_timeout + 1)
    assert (session.state, host.aborts) == (SessionState.CLOSED, {"close timeout": 1})


async def test_a_websocket_is_aborted_after_a_failed_post_if_the_client_does_not_close() -> None:
    host = RecordingHost()
    session = EngineIOSession(host, "sid", "127.0.0.1")
    async with connected_transport() as transport:
        session.attach_websocket(transport)
        session.close_now("POST aborted by the client")  # a POST that began before the upgrade
        assert session.state is SessionState.CLOSING_WEBSOCKET
        session.tick(time.monotonic() + host.options.close_timeout + 1)
        assert transport.is_closing()
    assert (session.state, host.aborts) == (SessionState.CLOSED, {"close timeout": 1})


def test_no_event_reopens_a_closing_session_or_returns_a_websocket_session_to_polling() -> None:
    for state, event in PAIRS:
        following = expected_state(state, event)
        if following is not None:
            assert state not in ENDING_STATES or following in ENDING_STATES
            assert state not in WEBSOCKET_STATES or following in WEBSOCKET_STATES | {SessionState.CLOSED}
