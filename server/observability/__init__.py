"""Diagnostics of the running server: event loop lag, rejected connections and supervision of background tasks.

Dependency rule: no import of another package of the server.
"""
