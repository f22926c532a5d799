"""Reasons of errors, with their English messages (docs/protocol.md, "Errors").

- Identifier: a reason is stable, and clients translate by it. A message may change at any time.
- Parameters: a name in braces is a parameter of the error. Numbers have thousands separators in the message.
"""

WIRE_MESSAGES = {
    # bad_request
    "request_unknown": "unknown request",
    "request_unsupported": "this server does not support this request",
    "field_invalid": "the request is not valid: {problem}",
    "json_invalid": "the body is not valid JSON",
    "json_too_deep": "the JSON is nested too deeply",
    "packet_binary": "binary packets are not supported",
    "text_unencodable": "the text contains a lone surrogate",
    "message_empty": "a message cannot be empty",
    "query_empty": "a query cannot be empty",
    "cursor_invalid": "the cursor is not valid for this search; search again",
    "reaction_empty": "a reaction cannot be empty",
    "reaction_invalid": "use one emoji or a word of at most {limit} columns",
    "history_position": "history takes exactly one of before, after, around and at",
    "too_many_joined_rooms": "a connection can join at most {limit} rooms",
    "too_many_created_rooms": "a connection can create at most {limit} rooms",
    "author_is_member": 'a member sends messages without "as"; leave all rooms first',
    "joined_as_other_member": "this connection is already in the room as another member",
    # unauthorized, forbidden, not_joined
    "token_invalid": "the token is not valid",
    "edit_not_author": "only the author or a moderator can change this message",
    "room_not_owner": "a guest can change only rooms created on the same connection",
    "room_not_joined": "join the room first",
    # not_found
    "message_not_found": "no such message",
    "room_not_found": "no such room",
    "path_not_found": "no resource at this path",
    # nick_invalid, room_invalid
    "nick_empty": "a nickname cannot be empty",
    "nick_character": "a nickname cannot contain {character}",
    "nick_reserved": "this nickname is reserved",
    "nick_combination": "a nickname cannot contain this combination of characters",
    "room_name_empty": "a room name cannot be empty",
    "room_name_character": "a room name cannot contain {character}",
    "room_name_reserved": "a room name cannot start with {character}",
    "room_name_combination": "a room name cannot contain this combination of characters",
    # too_long
    "packet_too_long": "a packet can have at most {limit} bytes",
    "nick_too_long": "a nickname can have at most {limit} characters",
    "room_name_too_long": "a room name can have at most {limit} characters",
    "message_too_long": "a message can have at most {limit} characters; this one has {count}",
    "topic_too_long": "a topic can have at most {limit} characters; this one has {count}",
    "query_too_long": "a query can have at most {limit} characters; this one has {count}",
    "reaction_too_long": "use one emoji or a word of at most {limit} columns",
    "user_id_too_long": "a user id can have at most {limit} characters",
    # rate_limited
    "too_many_requests": "too many requests",
    "too_many_messages": "too many messages",
    "too_many_joins": "too many joins",
    "too_many_searches": "too many searches",
    "rate_limit_ignored": "rate limit exceeded for too long",
    "too_many_connections": "too many connections from this address",
    "too_many_new_connections": "too many new connections from this address",
    "too_many_room_changes": "too many room changes on this server",
    "too_many_address_room_changes": "too many room changes from this address",
    # conflict
    "client_id_in_use": "another member already uses this clientId in the room; generate a new one",
    "message_deleted": "the message was deleted",
    "too_many_reactions": "a message can have at most {limit} different reactions",
    "room_exists": "a room with this name already exists",
    "room_not_empty": "the room is not empty",
    "room_has_messages": "the room contains messages",
    "room_too_large": "a room with more than {limit} entries cannot be deleted",
    # unavailable
    "server_stopping": "the server is stopping",
    "server_not_ready": "{problem}",
    "room_changing": "the room is being changed",
    "connection_closed": "the connection was closed",
    "searches_waiting": "too many searches are waiting",
    "reads_waiting": "too many requests are waiting to be read",
    "messages_waiting": "too many messages are waiting to be saved",
    "storage_unreadable": "the server cannot read its storage",
    "storage_unwritable": "the server cannot write to its storage",
    # internal
    "internal_error": "internal server error; see the server log",
    "change_not_saved": "the server could not save the change",
}
"""English message by reason of an error on the wire, a format string of the parameters."""

SDK_MESSAGES = {
    "response_invalid": "invalid response from the server",
    "push_unknown": "unknown push event",
    "client_closed": "the client was closed",
    "client_error": "internal error of this program; see its log",
    "no_response": "the server did not respond in time",
    "not_connected": "no connection to the server",
    "server_silent": "the server does not respond",
    "server_closed": "the server closed the connection",
    "ca_file_empty": "{file}: no certificates found",
    "ca_file_unreadable": "{file}: {problem}",
    "basic_server_only_sends": "a basic server supports only joining and sending",
    "basic_server_one_room": "a basic server supports only one room at a time",
    "basic_server_no_changes": "a basic server does not support edits, deletions and reactions",
    "observers_unsupported": "this server requires a join to read and to send",
    "room_left": "you have left the room",
    "room_removed": "the room was removed",
    "outbox_room_left": "you are no longer in this room",
    "outbox_full": "{count} messages wait to be sent already",
    "too_many_queued": "too many messages are queued",
    "unconfirmed": "no confirmation from the server",
    # connection
    "connection_lost": "the connection was lost",
    "server_restarting": "the server is restarting",
    "host_unknown": "unknown host name",
    "certificate_untrusted": "the server's certificate is not trusted",
    "tls_missing": "the server does not use TLS on this port",
    "server_full": "the server accepts no more connections",
    "http_status_unexpected": "not a chat server (HTTP status {status})",
    "not_chat_server": "not a chat server",
    "connection_refused": "no server at this address and port",
    "server_unreachable": "the server cannot be reached ({problem})",
    "address_invalid": "the address is not valid",
    # server address
    "address_empty": "enter a server address",
    "address_scheme_unknown": "unknown scheme {scheme}: use http, https, chat or chats",
    "address_path": "remove the path: only chat and chats addresses can contain a room",
    "address_brackets": "unbalanced brackets in the IPv6 address",
    "address_credentials": "the address must not contain a user name or password",
    "address_form": "the address is not valid: use host:port, or [::1]:3000 for IPv6",
    "host_name_missing": "the host name is missing",
    "host_name_invalid": "{name} is not a valid host name",
    "port_missing": "the port is missing after the colon",
    "port_invalid": "the port must be between 1 and 65535",
    # received data above a limit
    "members_unlisted": "the member list is limited to {limit} members; further members are only counted",
    "reactions_unlisted": "the server exceeds the limit of {limit} different reactions on a message; further ones are "
    "ignored",
    # local storage
    "outbox_unsaved": "unsent messages cannot be saved and are lost on exit: {problem}",
    "outbox_damaged": "the outbox was damaged and moved to {file}",
    "history_unsaved": "the message history cannot be saved on this computer: {problem}",
    "history_damaged": "the local message history was damaged and moved to {file}",
}
"""Messages of errors that only the client creates."""

MESSAGES = WIRE_MESSAGES | SDK_MESSAGES
