/**
 * Size limits of the protocol (docs/protocol.md, "Limits"); the same values as in `tui_chat/protocol/limits.py`.
 *
 * Names are counted in grapheme clusters (UAX #29), texts in code points after sanitizing.
 */

export const NICKNAME_GRAPHEMES = 32;
export const ROOM_NAME_GRAPHEMES = 64;
export const NAME_CODE_POINTS = 256; // bounds the combining marks of a name

export const MESSAGE_CHARACTERS = 4000;
export const TOPIC_CHARACTERS = 250;
export const QUERY_CHARACTERS = 250;
export const REACTION_CODE_POINTS = 16;
export const REACTION_COLUMNS = 8; // width of a word reaction in terminal columns
export const REACTIONS_PER_MESSAGE = 20; // different reactions on a message
export const REACTION_NAMES = 20; // members in the summary of a reaction

export const ATTACHMENTS_PER_MESSAGE = 10;
export const PATH_CHARACTERS = 4096; // of a file
export const SIGNED_PATHS = 100; // in a request for signed addresses

export const SECRET_CHARACTERS = 128; // guest keys and log ids

export const HISTORY_PAGE = 200; // entries in a history page and in a join response
export const MEMBER_PAGE = 500; // members in a join response and in a page of the member list
export const ROOM_LIST_PAGE = 200; // rooms in a room list

export const INVITE_USES = 10_000; // people per invite
export const INVITE_SECONDS = 365 * 24 * 3600; // lifetime of an invite

export const DELETE_RECENT_SECONDS = 7 * 24 * 3600; // period whose messages a ban can delete
