"""Diagnostics of the running server: event loop lag and rejected connections.

Dependency rule: no import of another package of the server.
"""
