/** Interface between the handlers of slash commands and the page, and helpers of several handlers. */

import { strings } from "../i18n/strings.js";
import { findPerson, trimNick } from "../state/person_finder.js";
import { isOwner } from "../state/roles.js";

/**
 * @typedef {import("../state/person_finder.js").Person} Person
 * @typedef {import("./confirm_dialog.js").ConfirmDialog["confirm"]} Confirm
 *
 * @typedef {object} CommandContext Operations of the page; see `draft_submission.js`.
 * @property {import("../state/room.js").Room} room Visible room.
 * @property {import("../state/chat_session.js").ChatSession} session
 * @property {(message: string) => boolean} send Queue a message to the visible room.
 * @property {(error: string) => void} showError
 * @property {(text: string) => void} restoreText Put the text of a failed command back into an empty composer.
 * @property {Confirm} confirm
 * @property {(text: string) => Promise<void>} copyText
 * @property {(name: string, invite?: string) => void} openRoom
 * @property {import("./room_switch.js").RoomSwitch} roomSwitch
 * @property {(room: import("../state/room.js").Room) => void} closeRoom Leave a room.
 * @property {() => boolean} areNotificationsEnabled
 * @property {(filter: string) => void} openRoomDialog
 * @property {() => void} openSettings
 * @property {() => void} openHelp
 * @property {(options?: {isRegistration?: boolean}) => void} openAccount
 * @property {(query: string) => void} openSearch
 * @property {(view: import("./list_dialog.js").ListView) => void} openList
 * @property {(room: string, seq: number) => void} openMessage
 * @property {import("./message_actions.js").MessageActions} messages
 * @property {() => boolean} undoDelete False without a deletion.
 *
 * @typedef {(argument: string, context: CommandContext) => boolean | void | Promise<void>} CommandHandler Returns false to keep the
 *   text in the composer. Throws, or rejects with, `CommandRejected` or `RequestError`.
 */

/** Command without effect; the message is an error text for the user. */
export class CommandRejected extends Error {}

/**
 * Return the person at the start of an argument, and the rest of the argument, by `findPerson` in the first room with a match.
 * @param {string} argument
 * @param {import("../state/room.js").Room[]} rooms Rooms to search, in order.
 * @param {Person[]} [preferred] Persons before all others.
 * @throws {CommandRejected} No known person has this nickname.
 * @throws {RequestError}
 */
export async function requirePerson(argument, rooms, preferred = []) {
  for (const room of rooms) {
    const match = await findPerson(room, argument, preferred);
    if (match) return match;
  }
  throw new CommandRejected(strings.noSuchNick(trimNick(argument.split(" ", 1)[0])));
}

/**
 * Return the open room with a name or address; the visible room without a name.
 * @param {string} name
 * @param {CommandContext} context
 * @throws {CommandRejected} No open room has this name.
 */
export function requireRoom(name, { room, session }) {
  const found = name ? session.findRoom(name) : room;
  if (!found) throw new CommandRejected(strings.notInRoom(name));
  return found;
}

/**
 * Require the role `owner` or `admin`.
 * @param {import("../state/room.js").Room} room
 * @throws {CommandRejected} The user has a lower role.
 */
export function requireOwner(room) {
  if (!isOwner(room.access.role)) throw new CommandRejected(strings.reasons.owner_only());
}
