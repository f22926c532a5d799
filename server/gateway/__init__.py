"""Request dispatch, handlers and fan-out of room events.

Dependency rule: no import of `server.web` or `server.app`.
"""
