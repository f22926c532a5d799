/**
 * Doing what was written: saying it, or carrying out the command that it is.
 */

import { words } from "../i18n/strings.js";
import { passOver } from "../net/socket.js";
import { meaningOf } from "../state/command_parser.js";

/**
 * @param {string} text
 * @param {object} to What can be done: see `said` in `app.js`.
 * @returns {boolean} False leaves it in the field.
 */
export function carryOut(text, to) {
  const meaning = meaningOf(text);
  if (meaning.say !== undefined) {
    to.say(meaning.say);
    return true;
  }
  if (meaning.unknown !== undefined) {
    to.hint(words.commandUnknown(meaning.unknown.slice(0, 40)));
    return false;
  }
  return COMMANDS[meaning.command](meaning.argument, to) !== false;
}

const COMMANDS = {
  me(_argument, { hint }) {
    hint(`/me ${words.arguments.text}`);
    return false;
  },
  join: (room, { go, openJoin }) => void (room ? go(room) : openJoin()),
  leave: (_argument, { leave }) => void leave(),
  nick: (nick, { chat, hint, openSettings }) => void (nick ? tried(chat.changeNick(nick), hint) : openSettings()),
  topic: (topic, { room, hint }) =>
    void (topic ? tried(room.setTopic(topic), hint) : room.tellYou(words.topicIs(room.log.topic))),
  search: (query, { openSearch }) => void openSearch(query),
  list: (_argument, { openJoin }) => void openJoin(),
  names: (_argument, { room }) =>
    void room.tellYou(words.membersAre([...room.members.values()].map(({ nickName }) => nickName))),
  help: (_argument, { openHelp }) => void openHelp(),
};

async function tried(request, hint) {
  try {
    await request;
  } catch (refusal) {
    passOver(refusal);
    hint(words.errors[refusal.code] ?? words.errors.internal);
  }
}
