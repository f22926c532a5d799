/** Handlers of the moderation commands (docs/moderation.md). */

import { strings } from "../i18n/strings.js";
import { isDurationLike, parseDuration, parseEnd } from "../state/duration_parser.js";
import { DELETE_RECENT_SECONDS } from "../state/limits.js";
import { quoteName } from "../state/names.js";
import { listTargets } from "../state/person_finder.js";
import { CommandRejected, requireOwner, requirePerson } from "./command_context.js";
import { confirmBan, confirmTransfer } from "./confirm_moderation.js";
import { auditView, sanctionsView } from "./list_views.js";

/**
 * @typedef {import("../state/room.js").Room} Room
 * @typedef {import("./command_context.js").CommandContext} CommandContext
 * @typedef {import("./command_context.js").CommandHandler} CommandHandler
 * @typedef {import("./command_context.js").Person} Person
 *
 * @typedef {(room: Room, person: Person, rest: string, context: CommandContext) => Promise<{revision: number} | null>} Action
 *   Request for a person and the rest of the argument; null after a cancellation.
 */

const DELETE_OPTION = "--delete";

/**
 * Return a handler that resolves the person of the argument, and adds a notice if the action changed nothing.
 * @param {Action} action
 * @param {string} [sanction] Action of the sanction that the command ends; persons with this sanction take precedence.
 * @returns {CommandHandler}
 */
function actOnPerson(action, sanction = "") {
  return async (argument, context) => {
    const { room } = context;
    const sanctioned = sanction ? await listTargets(room, sanction) : [];
    const { person, rest } = await requirePerson(argument, [room], sanctioned);
    const newestSeq = room.log.lastSeq ?? 0;
    const result = await action(room, person, rest, context);
    if (result && result.revision <= newestSeq) room.notices.addLocal(strings.noChange(quoteName(person.nickName)));
  };
}

/** @type {Action} */
function kick(room, { memberId }, reason) {
  return room.request("kick", { memberId, ...(reason && { reason }) });
}

/** @type {Action} */
async function ban(room, person, rest, { confirm }) {
  const { remaining, deleteRecent } = splitDeletion(rest);
  const sanction = parseSanction(remaining);
  if (!(await confirmBan(confirm, person, deleteRecent))) return null;
  return room.request("ban", { memberId: person.memberId, ...sanction, ...(deleteRecent && { deleteRecent }) });
}

/** @type {Action} */
async function silence(room, { memberId }, rest) {
  return room.request("mute", { memberId, ...parseSanction(rest) });
}

/** @type {Action} */
async function appoint(room, { memberId }, rest) {
  const role = rest.toLowerCase() || "moderator";
  if (role !== "moderator" && role !== "owner") throw new CommandRejected(strings.noSuchRole(rest));
  return room.request("setRole", { memberId, role });
}

/** @type {Action} */
async function transfer(room, person, _rest, { confirm }) {
  requireOwner(room);
  if (!(await confirmTransfer(confirm, person, room))) return null;
  return room.administration.transferTo(person.memberId);
}

/**
 * Remove the option `--delete DURATION` from an argument.
 * @param {string} rest
 * @throws {CommandRejected} The duration is missing, invalid or too long.
 */
function splitDeletion(rest) {
  const words = rest.split(" ");
  const index = words.indexOf(DELETE_OPTION);
  if (index < 0) return { remaining: rest, deleteRecent: 0 };
  const deleteRecent = parseDuration(words[index + 1] ?? "") ?? 0;
  if (!deleteRecent || deleteRecent > DELETE_RECENT_SECONDS) throw new CommandRejected(strings.deleteOptionInvalid);
  return { remaining: words.toSpliced(index, 2).join(" "), deleteRecent };
}

/**
 * Return the fields of a sanction: an end, if the argument starts with one, and the reason.
 * @param {string} rest
 * @throws {CommandRejected} The first word starts with a digit and is no duration or date, or the end is in the past.
 */
function parseSanction(rest) {
  const [word, ...words] = rest.split(" ");
  if (!isDurationLike(word)) return rest ? { reason: rest } : {};
  const now = Date.now();
  const until = parseEnd(word, now);
  if (until === null) throw new CommandRejected(strings.durationInvalid(word));
  if (until <= now) throw new CommandRejected(strings.endInPast(word));
  return { until, ...(words.length && { reason: words.join(" ") }) };
}

/**
 * Handlers of the moderation commands by name.
 * @type {Record<string, CommandHandler>}
 */
export const MODERATION_HANDLERS = {
  kick: actOnPerson(kick),
  ban: actOnPerson(ban),
  unban: actOnPerson((room, { memberId }) => room.request("unban", { memberId }), "banned"),
  silence: actOnPerson(silence),
  unsilence: actOnPerson((room, { memberId }) => room.request("unmute", { memberId }), "muted"),
  op: actOnPerson(appoint),
  deop: actOnPerson((room, { memberId }) => room.request("setRole", { memberId, role: "member" })),
  transfer: actOnPerson(transfer),
  sanctions: (_argument, { room, openList }) => openList(sanctionsView(room)),
  audit: (_argument, { room, openList }) => openList(auditView(room)),
};
