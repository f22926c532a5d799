/**
 * Person at the start of a command argument; the same order as in
 * `tui_chat/session/commands/moderation_handlers.py`.
 *
 * - Order: present members, then authors of loaded messages, then targets of the audit.
 * - The longest nickname at the start of the argument counts, so nicknames with spaces need no quotation marks.
 */

import { requireRequestError } from "../net/request_error.js";
import { HISTORY_PAGE } from "./limits.js";
import { canonicalName } from "./names.js";
import { sanitizeReceived } from "./sanitize.js";

/**
 * @typedef {object} Person
 * @property {string} memberId
 * @property {string} nickName
 * @property {string} [account]
 * @property {boolean} [bot] The person is a bot or a webhook.
 * @property {string} [role] Only for a present member.
 *
 * @typedef {{person: Person, rest: string}} Match Person, and the argument after the nickname.
 */

/**
 * Return the person at the start of an argument; null without a match. If neither a preferred person nor a stored
 * member matches, unlisted members with the first word in their nickname are loaded into the roster. If no author matches
 * either, the targets of the audit are requested.
 * @param {import("./room.js").Room} room
 * @param {string} argument Nickname, possibly with a leading `@` or final colons, and further words.
 * @param {Person[]} [preferred] Persons that are tried first.
 * @returns {Promise<Match | null>}
 * @throws {RequestError}
 */
export async function findPerson(room, argument, preferred = []) {
  const found = matchPerson(argument, preferred) ?? matchPerson(argument, room.members.values());
  if (found) return found;
  await room.roster.load(trimNick(argument.split(" ", 1)[0]));
  const authors = room.log.items.filter(({ kind }) => kind === "message").reverse();
  return matchPerson(argument, room.members.values()) ?? matchPerson(argument, authors) ?? matchPerson(argument, await listTargets(room));
}

/**
 * Return a nickname argument without the `@` of a mention and without final colons.
 * @param {string} argument
 */
export function trimNick(argument) {
  return argument.replace(/^@|:+$/g, "");
}

/**
 * Return the targets of actions on members among the newest `HISTORY_PAGE` audit entries of a room, newest first and possibly
 * repeated; empty without the permission.
 * @param {import("./room.js").Room} room
 * @param {string} [action] Action of the entries, such as `banned`; empty for all.
 * @returns {Promise<Person[]>}
 * @throws {RequestError}
 */
export async function listTargets(room, action = "") {
  try {
    const { messages } = await room.request("audit", { limit: HISTORY_PAGE });
    const changes = messages.map(sanitizeReceived).filter((entry) => entry.kind === "member" && (!action || entry.action === action));
    return changes.reverse().map(({ target }) => target);
  } catch (error) {
    if (requireRequestError(error).code === "forbidden") return [];
    throw error;
  }
}

/**
 * Return the candidate with the longest nickname at the start of an argument, the first of equal length; null without a
 * match. Nicknames are compared in canonical form; a leading `@` and final colons are ignored.
 * @param {string} argument
 * @param {Iterable<any>} candidates
 * @returns {Match | null}
 */
export function matchPerson(argument, candidates) {
  const words = argument.replace(/^@/, "").split(/\s+/u);
  /** @type {Match | null} */
  let best = null;
  for (const person of candidates) {
    if (best && person.nickName.length <= best.person.nickName.length) continue;
    const count = person.nickName.split(" ").length;
    const nick = words.slice(0, count).join(" ").replace(/:+$/, "");
    if (canonicalName(nick) === canonicalName(person.nickName)) best = { person, rest: words.slice(count).join(" ") };
  }
  return best;
}
