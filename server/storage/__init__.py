"""Storage: journal, log reader, room repository and search on top of SQLAlchemy Core.

Dependency rule: SQLAlchemy is imported only here; no import of the gateway or the transports.
"""
