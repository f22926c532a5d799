"""Packages of the terminal client, the SDK and the shared wire protocol.

- Dependency: `tui_chat.local_server` is the only module that imports `server`.
"""
