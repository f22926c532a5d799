"""Event loop lag and rejected connections, for logs and metrics.

Imports no other package of the server."""
