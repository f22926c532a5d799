"""Storage: journal, log reader, room repository and search on top of SQLAlchemy Core.

Dependency rule: SQLAlchemy is imported only here; no import of the gateway or the transports.

Parameters with one meaning in all modules:

- `connection`: connection with an open transaction, for writes a write transaction.
- `writer`, `readers`: executors of one write transaction at a time, and of read transactions.
- `clock`, `now`: current time in milliseconds since the epoch.
- `key`, `room_key`: canonical key of the name of a room (`tui_chat.protocol.names.canonical_key`).
- `limit`: maximum number of results.
"""
