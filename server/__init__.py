"""Chat server: Socket.IO gateway, room log and web page.

Dependency rule: of `tui_chat`, only `protocol`, `standard_streams`, `argument_parser`, `signal_handlers` and
`process_limits` are imported.
"""
