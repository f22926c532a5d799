/**
 * Execution of composer input: send a message or run a command.
 */

import { strings } from "../i18n/strings.js";
import { rethrowUnlessRequestError } from "../net/socket.js";
import { parseInput } from "../state/command_parser.js";

/**
 * @param {string} text
 * @param {object} context Available operations; see `submitDraft` in app.js.
 * @returns {boolean} False to keep the text in the composer.
 */
export function runCommand(text, context) {
  const input = parseInput(text);
  if (input.text !== undefined) {
    context.send(input.text);
    return true;
  }
  if (input.unknown !== undefined) {
    context.showError(strings.unknownCommand(input.unknown.slice(0, 40)));
    return false;
  }
  return COMMANDS[input.command](input.argument, context) !== false;
}

const COMMANDS = {
  me(_argument, { showError }) {
    showError(`/me ${strings.arguments.text}`);
    return false;
  },
  join: (room, { openRoom, openRoomDialog }) => void (room ? openRoom(room) : openRoomDialog()),
  leave: (_argument, { leave }) => void leave(),
  nick: (nick, { session, showError, openSettings }) => void (nick ? reportFailure(session.changeNick(nick), showError) : openSettings()),
  topic: (topic, { room, showError }) =>
    void (topic ? reportFailure(room.setTopic(topic), showError) : room.addLocalNotice(strings.currentTopic(room.log.topic))),
  search: (query, { openSearch }) => void openSearch(query),
  list: (_argument, { openRoomDialog }) => void openRoomDialog(),
  names: (_argument, { room }) =>
    void room.addLocalNotice(strings.memberNames([...room.members.values()].map(({ nickName }) => nickName))),
  help: (_argument, { openHelp }) => void openHelp(),
};

async function reportFailure(request, showError) {
  try {
    await request;
  } catch (error) {
    rethrowUnlessRequestError(error);
    showError(strings.errors[error.code] ?? strings.errors.internal);
  }
}
