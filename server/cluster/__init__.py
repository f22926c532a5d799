"""Cooperation of the nodes of one database: message bus, log follower and node registry.

Imports `server.storage` and the layers below, and no gateway: the gateway is called through callbacks.
"""
