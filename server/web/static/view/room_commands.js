/** Handlers of the commands about rooms, memberships, muted rooms, invites and webhooks (docs/moderation.md). */

import { strings } from "../i18n/strings.js";
import { parseInviteLimits } from "../state/invite_limits.js";
import { INVITE_SECONDS, INVITE_USES } from "../state/limits.js";
import { canonicalName } from "../state/names.js";
import { POLICY_FIELDS, POLICY_VALUES, defaultValue, parsePolicyChange } from "../state/policy.js";
import { mutedRooms } from "../state/storage.js";
import { CommandRejected, requireOwner, requireRoom } from "./command_context.js";
import { confirmForget, confirmRoomDeletion } from "./confirm_moderation.js";
import { formatShortDate } from "./format_time.js";
import { hooksView, invitesView } from "./list_views.js";
import { inviteUrl } from "./room_url.js";

const PRIVATE_OPTION = "--private";

/**
 * @typedef {import("../state/room.js").Room} Room
 * @typedef {import("./command_context.js").CommandContext} CommandContext
 */

/**
 * Create a room with the user as owner, and show the room unless the user switches to another room meanwhile.
 * @param {string} argument Name, or `--private` and the title of a private room.
 * @param {CommandContext} context
 */
async function create(argument, { session, roomSwitch }) {
  const [first, ...words] = argument.split(" ");
  const isPrivate = first.toLowerCase() === PRIVATE_OPTION;
  const name = isPrivate ? words.join(" ").trim() : argument;
  await roomSwitch.follow(session.createRoom(isPrivate ? { title: name, visibility: "private" } : { roomName: name }));
}

/**
 * Create an invite, show its link and copy the link.
 * @param {string} argument Number of people and duration, both optional.
 * @param {CommandContext} context
 */
async function invite(argument, { room, copyText }) {
  const limits = parseInviteLimits(argument);
  if (!limits) throw new CommandRejected(strings.inviteLimitsInvalid(INVITE_USES, INVITE_SECONDS / 86_400));
  const { invite: created } = await room.request("createInvite", limits);
  const url = inviteUrl(room.name, created.code);
  room.notices.addLocal(strings.inviteCreated(created.uses, formatShortDate(created.expiresAt), url));
  await copyText(url);
}

/**
 * Replace the group code of the room, which must be private, show the code and copy it.
 * @param {string} _argument
 * @param {CommandContext} context
 */
async function replaceGroupCode(_argument, { room, copyText }) {
  if (!room.title) throw new CommandRejected(strings.groupCodeUnavailable);
  const { code } = await room.request("replaceGroupCode", {});
  room.notices.addLocal(strings.groupCodeReplaced(room.displayName, code));
  await copyText(code);
}

/**
 * Create a webhook, show its address and copy the address.
 * @param {string} nickName
 * @param {CommandContext} context
 */
async function hook(nickName, { room, copyText }) {
  const { url } = await room.request("createHook", { nickName });
  const { pathname } = new URL(url, location.origin);
  const address = new URL(pathname.slice(1), document.baseURI).href; // the page may be below a path of a reverse proxy
  room.notices.addLocal(strings.hookCreated(nickName, address));
  await copyText(address);
}

/**
 * Revoke a webhook by its name or id.
 * @param {string} name
 * @param {CommandContext} context
 */
async function unhook(name, { room }) {
  const { hooks } = await room.request("listHooks", {});
  const key = canonicalName(name);
  const found = hooks.find(({ id, nickName }) => id === name || canonicalName(nickName) === key);
  if (!found) throw new CommandRejected(strings.reasons.hook_not_found());
  await room.request("revokeHook", { id: found.id });
}

/**
 * End the membership of the user and leave the room; in a private room, after a question.
 * @param {string} name Empty for the visible room.
 * @param {CommandContext} context
 */
async function forget(name, context) {
  const { confirm, closeRoom } = context;
  const target = requireRoom(name, context);
  if (target.title && !(await confirmForget(confirm, target))) return;
  await target.request("leaveRoom", { forget: true });
  closeRoom(target);
}

/**
 * Turn off the notifications of a room, and show a notice.
 * @param {string} name Empty for the visible room.
 * @param {CommandContext} context
 */
function mute(name, context) {
  const target = requireRoom(name, context);
  mutedRooms.add(target.name);
  context.room.notices.addLocal(strings.muted(target.displayName));
}

/**
 * Turn on the notifications of a room, and show a notice.
 * @param {string} name Empty for the visible room.
 * @param {CommandContext} context
 */
function unmute(name, context) {
  const target = requireRoom(name, context);
  mutedRooms.delete(target.name);
  const text = context.areNotificationsEnabled() ? strings.unmuted : strings.unmutedWithoutNotifications;
  context.room.notices.addLocal(text(target.displayName));
}

/**
 * Show the policy, or change one field.
 * @param {string} argument
 * @param {CommandContext} context
 */
async function policy(argument, { room }) {
  if (!argument) return room.notices.addLocal(describePolicy(room));
  const [name, ...words] = argument.split(/\s+/u);
  const result = parsePolicyChange(name, words.join(" "));
  if ("change" in result) return void (await room.request("updateRoom", result.change));
  const expected = result.expected.join(", ");
  throw new CommandRejected(result.field ? strings.valueExpected(result.field, expected) : strings.noSuchField(name, expected));
}

/** @param {Room} room */
function describePolicy({ access: { policy: stored } }) {
  const values = POLICY_FIELDS.map((field) => (field in POLICY_VALUES ? (stored[field] ?? defaultValue(field)) : strings.retention(stored[field] ?? {})));
  return POLICY_FIELDS.map((field, index) => `${field} = ${values[index]}`).join("\n");
}

/**
 * Delete the room after a question, and leave the room.
 * @param {string} _argument
 * @param {CommandContext} context
 */
async function deleteRoom(_argument, { room, confirm, closeRoom }) {
  requireOwner(room);
  if (!(await confirmRoomDeletion(confirm, room))) return;
  await room.administration.delete();
  closeRoom(room);
}

/**
 * Handlers of the commands of this module by name.
 * @type {Record<string, import("./command_context.js").CommandHandler>}
 */
export const ROOM_HANDLERS = {
  create,
  rename: async (name, { room }) => void (await room.request("updateRoom", room.title ? { title: name } : { roomName: name })),
  invite,
  invites: (_argument, { room, openList }) => openList(invitesView(room)),
  "group-code": replaceGroupCode,
  uninvite: async (id, { room }) => {
    await room.request("revokeInvite", { id });
    room.notices.addLocal(strings.inviteRevoked(id));
  },
  hook,
  hooks: (_argument, { room, openList }) => openList(hooksView(room)),
  unhook,
  policy,
  forget,
  mute,
  unmute,
  "delete-room": deleteRoom,
};
