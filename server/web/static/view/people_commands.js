/** Handlers of the commands about members, direct messages, blocks and the status of the user. */

import { strings } from "../i18n/strings.js";
import { canonicalName, quoteName } from "../state/names.js";
import { trimNick } from "../state/person_finder.js";
import { LOADED_MEMBERS } from "../state/roster.js";
import { CommandRejected, requirePerson } from "./command_context.js";
import { blocksView, mentionsView } from "./list_views.js";
import { memberDetails, sortMembers } from "./member_details.js";

/** @typedef {import("./command_context.js").CommandContext} CommandContext */

/**
 * Load the members with a part of the nickname, and show a notice with their nicknames.
 * @param {string} query Empty for all members.
 * @param {CommandContext} context
 */
async function listMembers(query, { room }) {
  await room.roster.load(query);
  const members = room.roster.find(query).slice(0, LOADED_MEMBERS);
  const names = sortMembers(members, room.ownMemberIds).map(({ nickName, confusable }) => (confusable ? strings.lookAlike(nickName) : nickName));
  if (!query) room.notices.addLocal(strings.memberNames(names, room.memberCount));
  else room.notices.addLocal(names.length ? strings.membersFound(names) : strings.noSuchNick(query));
}

/**
 * Show a notice with the details of a member; load an unlisted member first.
 * @param {string} name Nickname, possibly with a leading `@` or final colons.
 * @param {CommandContext} context
 */
async function describeMember(name, { room }) {
  const nick = trimNick(name);
  const findMember = () => room.roster.find(nick).find(({ nickName }) => canonicalName(nickName) === canonicalName(nick));
  if (!findMember()) await room.roster.load(nick);
  const member = findMember();
  room.notices.addLocal(member ? strings.memberDetails(member.nickName, memberDetails(member, room)) : strings.noSuchNick(nick));
}

/**
 * Open the direct room with a person of the visible room, or else of another open room.
 * @param {string} argument
 * @param {CommandContext} context
 */
async function query(argument, context) {
  const open = async () => {
    const { person } = await requirePerson(argument, roomsInOrder(context));
    return context.session.openDirect([person]);
  };
  await context.roomSwitch.follow(open());
}

/**
 * Send a direct message, and open the direct room.
 * @param {string} argument Nickname and text.
 * @param {CommandContext} context
 */
async function sendDirect(argument, context) {
  const send = async () => {
    const { person, rest } = await requirePerson(argument, roomsInOrder(context));
    if (!rest) throw new CommandRejected(strings.textRequired);
    const address = await context.session.openDirect([person]);
    context.session.openRoom(address).enqueue("sendMessage", { message: rest });
    return address;
  };
  await context.roomSwitch.follow(send());
}

/**
 * Block a person in all rooms.
 * @param {string} argument
 * @param {CommandContext} context
 */
async function block(argument, context) {
  const { person } = await requirePerson(argument, roomsInOrder(context));
  if (context.session.ownMemberIds.has(person.memberId)) throw new CommandRejected(strings.blockOneself);
  await context.session.blocks.add(person.memberId);
  context.room.notices.addLocal(strings.blocked(quoteName(person.nickName)));
}

/**
 * End the block of a person.
 * @param {string} argument
 * @param {CommandContext} context
 */
async function unblock(argument, { room, session }) {
  const { person } = await requirePerson(argument, [room], await session.blocks.load());
  if (!session.blocks.has(person.memberId)) throw new CommandRejected(strings.notBlocked(person.nickName));
  await session.blocks.remove(person.memberId);
  room.notices.addLocal(strings.unblocked(quoteName(person.nickName)));
}

/** @param {CommandContext} context */
function roomsInOrder({ room, session }) {
  return [room, ...session.rooms.filter((other) => other !== room)];
}

/**
 * Handlers of the commands of this module by name.
 * @type {Record<string, import("./command_context.js").CommandHandler>}
 */
export const PEOPLE_HANDLERS = {
  names: listMembers,
  whois: describeMember,
  query,
  msg: sendDirect,
  mentions: (_argument, { session, openList, openMessage }) => openList(mentionsView(session, openMessage)),
  block,
  unblock,
  blocks: (_argument, { session, openList }) => openList(blocksView(session)),
  away: (text, { session }) => session.status.set(text),
  back: (_argument, { session }) => session.status.set(null),
};
