/** Questions before moderation actions and the end of a membership. All functions return whether the user confirms. */

import { strings } from "../i18n/strings.js";
import { formatDuration } from "./format_time.js";

/**
 * @typedef {import("./command_context.js").Confirm} Confirm
 * @typedef {import("./command_context.js").Person} Person
 * @typedef {import("../state/room.js").Room} Room
 */

/**
 * Ask before a ban, with its effects.
 * @param {Confirm} confirm
 * @param {Person} person
 * @param {number} deleteRecent Seconds whose messages are deleted; 0 for no deletion.
 */
export async function confirmBan(confirm, { nickName, account, bot }, deleteRecent) {
  const effects = [account === undefined && !bot ? strings.banGuestWarning : strings.banWarning];
  if (deleteRecent) effects.push(strings.banDeletes(formatDuration(deleteRecent)));
  return ask(confirm, strings.banTitle(nickName), effects.join("\n"), strings.ban);
}

/**
 * Ask before another member becomes the owner in place of the user.
 * @param {Confirm} confirm
 * @param {Person} person
 * @param {Room} room
 */
export async function confirmTransfer(confirm, { nickName }, { displayName }) {
  return ask(confirm, strings.transferTitle(nickName, displayName), strings.transferWarning, strings.makeOwner);
}

/**
 * Ask before the deletion of a room for all members.
 * @param {Confirm} confirm
 * @param {Room} room
 */
export async function confirmRoomDeletion(confirm, { displayName }) {
  return ask(confirm, strings.deleteRoom, strings.deleteRoomWarning(displayName), strings.deleteRoom);
}

/**
 * Ask before the end of a membership in a private room, which can be joined again only with an invite.
 * @param {Confirm} confirm
 * @param {Room} room
 */
export async function confirmForget(confirm, { displayName }) {
  return ask(confirm, strings.forgetTitle(displayName), strings.forgetWarning, strings.leave);
}

async function ask(confirm, title, text, label) {
  return (await confirm({ title, text, choices: [{ value: "yes", label, kind: "danger" }] })) === "yes";
}
