"""Packages of the terminal client, the SDK and the shared wire protocol.

- Public interface: `tui_chat.sdk`. All other modules are internal.
- Dependency: no module imports `server`; `tui_chat.local_server` starts it as a process.
"""
