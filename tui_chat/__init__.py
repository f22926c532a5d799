"""Terminal client, SDK and wire protocol of tui-chat.

Only `tui_chat.local_server` imports `server`."""
