/**
 * Execution of composer input: send a message or run a command.
 */

import { errorText, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { COMMANDS, nearestCommand, parseInput } from "../state/command_parser.js";
import { canonicalName } from "../state/names.js";
import { LOADED_MEMBERS } from "../state/roster.js";
import { memberDetails, sortMembers } from "./member_details.js";

/**
 * @param {string} text
 * @param {object} context Available operations; see `submitDraft` in app.js.
 * @returns {boolean} False to keep the text in the composer.
 */
export function runCommand(text, context) {
  const input = parseInput(text);
  if ("text" in input) return context.send(input.text);
  if ("argument" in input) return HANDLERS[input.command](input.argument, context) !== false;
  if (input.error === "unknown") context.showError(strings.unknownCommand(input.command.slice(0, 40), nearestCommand(input.command)));
  else context.showError(strings.commandUsage(commandUsage(input.command)));
  return false;
}

/**
 * Return the syntax of a command in the language of the page.
 * @param {string} command
 */
export function commandUsage(command) {
  const { argument, isRequired } = COMMANDS.get(command) ?? {};
  if (!argument) return `/${command}`;
  const label = strings.arguments[argument];
  return isRequired ? `/${command} ${label}` : `/${command} [${label}]`;
}

const HANDLERS = {
  me: (text, { send }) => send(`/me ${text}`),
  join: (room, { openRoom, openRoomDialog }) => void (room ? openRoom(room) : openRoomDialog("")),
  part: (room, { leave }) => leave(room),
  nick: (nick, { session, openSettings, showError }) =>
    void (nick ? reportFailure("nick", session.changeNick(nick), { showError }) : openSettings()),
  topic: (topic, { room, showError }) =>
    void (topic ? reportFailure("topic", room.setTopic(topic), { showError }) : room.addLocalNotice(strings.currentTopic(room.log.topic))),
  search: (query, { openSearch }) => void openSearch(query),
  list: (filter, { openRoomDialog }) => void openRoomDialog(filter),
  names: (query, { room, showError }) => void reportFailure("names", listMembers(query, room), { showError }),
  whois: (nick, { room, showError }) => void reportFailure("whois", describeMember(nick, room), { showError }),
  delete: (_argument, { deleteLast, showError }) => deleteLast() || reject(showError, strings.noMessage),
  undo: (_argument, { undoDelete, showError }) => undoDelete() || reject(showError, strings.noDeletion),
  login: (_argument, { openAccount }) => void openAccount(),
  register: (_argument, { openAccount }) => void openAccount({ isRegistration: true }),
  account: (_argument, { openAccount }) => void openAccount(),
  help: (_argument, { openHelp }) => void openHelp(),
};

function reject(showError, error) {
  showError(error);
  return false;
}

/**
 * Load the members with a part of the nickname, and show a notice with their nicknames.
 * @param {string} query Empty for all members.
 * @param {import("../state/room.js").Room} room
 */
async function listMembers(query, room) {
  await room.roster.load(query);
  const members = room.roster.find(query).slice(0, LOADED_MEMBERS);
  const names = sortMembers(members, room.ownMemberIds).map(({ nickName, confusable }) => (confusable ? strings.lookAlike(nickName) : nickName));
  if (!query) room.addLocalNotice(strings.memberNames(names, room.memberCount));
  else room.addLocalNotice(names.length ? strings.membersFound(names) : strings.noSuchNick(query));
}

/**
 * Show a notice with the details of a member; load an unlisted member first.
 * @param {string} name Nickname, possibly with a leading `@` or a final `:`.
 * @param {import("../state/room.js").Room} room
 */
async function describeMember(name, room) {
  const nick = name.replace(/^@|:$/gu, "");
  const findMember = () => room.roster.find(nick).find(({ nickName }) => canonicalName(nickName) === canonicalName(nick));
  if (!findMember()) await room.roster.load(nick);
  const member = findMember();
  room.addLocalNotice(member ? strings.memberDetails(member.nickName, memberDetails(member, room)) : strings.noSuchNick(nick));
}

async function reportFailure(command, request, { showError }) {
  try {
    await request;
  } catch (error) {
    const failure = requireRequestError(error);
    showError(failure.code === "offline" ? strings.commandOffline(command) : errorText(failure));
  }
}
