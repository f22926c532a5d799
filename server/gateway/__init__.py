"""Request dispatch, handlers and fan-out of room events.

Imports neither `server.web` nor `server.app`."""
