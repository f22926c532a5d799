"""State machine of an Engine.IO session.

- Upgrade: POLLING, PROBING, UPGRADING, WEBSOCKET (Engine.IO protocol v4, "Upgrade"). A failed probe leads back to
  POLLING. A session without polling enters WEBSOCKET directly.
- Close: a closing session keeps its transport until the queued frames are sent, and then becomes CLOSED. A probe that
  succeeds in between moves the queued frames to the WebSocket.
- Repetition: a repeated close or end leaves the state unchanged.
- Concurrency: the session may close during a probe, so PROBE_ANSWERED, PROBE_ENDED and ATTACH are legal in
  CLOSING_POLLING and CLOSED.
- Errors: any pair of state and event outside the table raises `IllegalTransition`.
"""

from enum import Enum, auto


class SessionState(Enum):
    """State of a session.

    Members:
        POLLING: Open without an attached WebSocket.
        PROBING: A WebSocket has been requested; its probe is not answered yet.
        UPGRADING: The probe is answered; the session waits for the upgrade packet.
        WEBSOCKET: Open with an attached WebSocket.
        CLOSING_POLLING: Queued frames wait for polls; received packets are discarded.
        CLOSING_WEBSOCKET: The close frame follows the queued frames; received packets are discarded.
        CLOSED: The session has ended.
    """

    POLLING = auto()
    PROBING = auto()
    UPGRADING = auto()
    WEBSOCKET = auto()
    CLOSING_POLLING = auto()
    CLOSING_WEBSOCKET = auto()
    CLOSED = auto()


class TransitionEvent(Enum):
    """Event that may change the state of a session.

    Members:
        PROBE: A WebSocket is requested for a polling session.
        PROBE_ANSWERED: The server answers the probe.
        PROBE_ENDED: The WebSocket of the probe closes without an upgrade.
        ATTACH: Outbound frames move to a WebSocket.
        CLOSE: The session closes after its queued frames.
        END: The session ends.
    """

    PROBE = auto()
    PROBE_ANSWERED = auto()
    PROBE_ENDED = auto()
    ATTACH = auto()
    CLOSE = auto()
    END = auto()


class IllegalTransition(Exception):
    """Event that is not defined in the current state; an error of the server."""


_State, _Event = SessionState, TransitionEvent

TRANSITIONS: dict[SessionState, dict[TransitionEvent, SessionState]] = {
    _State.POLLING: {
        _Event.PROBE: _State.PROBING,
        _Event.ATTACH: _State.WEBSOCKET,
        _Event.CLOSE: _State.CLOSING_POLLING,
        _Event.END: _State.CLOSED,
    },
    _State.PROBING: {
        _Event.PROBE_ANSWERED: _State.UPGRADING,
        _Event.PROBE_ENDED: _State.POLLING,
        _Event.CLOSE: _State.CLOSING_POLLING,
        _Event.END: _State.CLOSED,
    },
    _State.UPGRADING: {
        _Event.PROBE_ENDED: _State.POLLING,
        _Event.ATTACH: _State.WEBSOCKET,
        _Event.CLOSE: _State.CLOSING_POLLING,
        _Event.END: _State.CLOSED,
    },
    _State.WEBSOCKET: {
        _Event.CLOSE: _State.CLOSING_WEBSOCKET,
        _Event.END: _State.CLOSED,
    },
    _State.CLOSING_POLLING: {
        _Event.PROBE_ANSWERED: _State.CLOSING_POLLING,
        _Event.PROBE_ENDED: _State.CLOSING_POLLING,
        _Event.ATTACH: _State.CLOSING_WEBSOCKET,
        _Event.CLOSE: _State.CLOSING_POLLING,
        _Event.END: _State.CLOSED,
    },
    _State.CLOSING_WEBSOCKET: {
        _Event.CLOSE: _State.CLOSING_WEBSOCKET,
        _Event.END: _State.CLOSED,
    },
    _State.CLOSED: {
        _Event.PROBE_ANSWERED: _State.CLOSED,
        _Event.PROBE_ENDED: _State.CLOSED,
        _Event.ATTACH: _State.CLOSED,  # the WebSocket receives a close frame
        _Event.CLOSE: _State.CLOSED,
        _Event.END: _State.CLOSED,
    },
}
"""Next state by current state and event."""

ENDING_STATES = frozenset({SessionState.CLOSING_POLLING, SessionState.CLOSING_WEBSOCKET, SessionState.CLOSED})
"""Closing and closed states, in which packets of the client are discarded and no frame is queued."""

WEBSOCKET_STATES = frozenset({SessionState.WEBSOCKET, SessionState.CLOSING_WEBSOCKET})
"""States with an attached WebSocket, except CLOSED."""


def get_next_state(state: SessionState, event: TransitionEvent) -> SessionState:
    """Return the state after an event.

    Raises:
        IllegalTransition: The event is not defined in the state.
    """
    try:
        return TRANSITIONS[state][event]
    except KeyError:
        raise IllegalTransition(f"event {event.name} in state {state.name}") from None
