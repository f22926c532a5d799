"""Packages of the terminal client, the SDK and the shared wire protocol.

- Public interface: `tui_chat.sdk`. All other modules are internal.
- Dependency: `tui_chat.local_server` is the only module that imports `server`.
"""
