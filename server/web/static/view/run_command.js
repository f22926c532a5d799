/** Execution of composer input: send a message or run a command. */

import { errorText, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { COMMANDS, nearestCommand, parseInput } from "../state/command_parser.js";
import { CommandRejected, requireRoom } from "./command_context.js";
import { MODERATION_HANDLERS } from "./moderation_commands.js";
import { PEOPLE_HANDLERS } from "./people_commands.js";
import { ROOM_HANDLERS } from "./room_commands.js";
import { resolveRoom } from "./room_links.js";

const SHRUG = "¯\\_(ツ)_/¯";

/** @typedef {import("./command_context.js").CommandContext} CommandContext */

/**
 * Send a text or run a command, and show its error. An asynchronous failure puts the text back into an empty composer later.
 * @param {string} text
 * @param {CommandContext} context
 * @returns {boolean} False to keep the text in the composer, after an error or by the handler; true for a promise.
 */
export function runCommand(text, context) {
  const input = parseInput(text);
  if ("text" in input) return context.send(input.text);
  if ("error" in input) {
    if (input.error === "unknown") context.showError(strings.unknownCommand(input.command.slice(0, 40), nearestCommand(input.command)));
    else context.showError(strings.commandUsage(commandUsage(input.command)));
    return false;
  }
  try {
    const result = HANDLERS[input.command](input.argument, context);
    if (result instanceof Promise) result.catch((error) => onFailure(error, input.command, text, context));
    return result !== false;
  } catch (error) {
    context.showError(describeFailure(error, input.command));
    return false;
  }
}

/**
 * Return the syntax of a command in the language of the page, an optional argument in brackets.
 * @param {string} command Name in `COMMANDS`.
 */
export function commandUsage(command) {
  const { argument, isRequired } = COMMANDS.get(command) ?? {};
  if (!argument) return `/${command}`;
  const label = strings.arguments[argument];
  return isRequired || label.startsWith("[") ? `/${command} ${label}` : `/${command} [${label}]`;
}

/** @type {Record<string, import("./command_context.js").CommandHandler>} */
const HANDLERS = {
  ...MODERATION_HANDLERS,
  ...PEOPLE_HANDLERS,
  ...ROOM_HANDLERS,
  me: (text, { send }) => send(`/me ${text}`),
  shrug: (text, { send }) => send(text ? `${text} ${SHRUG}` : SHRUG),
  join,
  part: (name, context) => context.closeRoom(requireRoom(name, context)),
  list: (filter, { openRoomDialog }) => openRoomDialog(filter),
  nick: (nick, { session, openSettings }) => (nick ? session.changeNick(nick).then(() => undefined) : openSettings()),
  topic: (topic, { room }) => (topic ? room.administration.setTopic(topic) : room.notices.addLocal(strings.currentTopic(room.log.topic))),
  search: (query, { openSearch }) => openSearch(query),
  reply: (text, { messages }) => messages.replyToLast(text),
  react: (emoji, { messages }) => messages.reactToLast(emoji),
  edit: (text, { messages }) => messages.editLast(text),
  delete: (_argument, { messages }) => messages.deleteLast(),
  unread: (_argument, { messages }) => messages.markLastUnread(),
  undo: (_argument, { undoDelete }) => {
    if (!undoDelete()) throw new CommandRejected(strings.noDeletion);
  },
  login: (_argument, { openAccount }) => openAccount(),
  register: (_argument, { openAccount }) => openAccount({ isRegistration: true }),
  account: (_argument, { openAccount }) => openAccount(),
  clear: (_argument, { room }) => room.notices.clear(),
  reconnect: (_argument, { session }) => session.reconnectNow(),
  settings: (_argument, { openSettings }) => openSettings(),
  help: (_argument, { openHelp }) => openHelp(),
};

/**
 * Join a room by name or by a link to a room of this server, or open the room dialog.
 * @param {string} typed
 * @param {CommandContext} context
 */
function join(typed, { openRoom, openRoomDialog }) {
  const { room, invite, otherHost } = resolveRoom(typed);
  if (otherHost) throw new CommandRejected(strings.otherServer(otherHost));
  return room ? openRoom(room, invite) : openRoomDialog("");
}

/**
 * @param {unknown} error
 * @param {string} command
 * @param {string} text
 * @param {CommandContext} context
 */
function onFailure(error, command, text, { restoreText, showError }) {
  const description = describeFailure(error, command);
  restoreText(text);
  showError(description);
}

/**
 * Return the text of a `CommandRejected` or `RequestError`; rethrow any other error.
 * @param {unknown} error
 * @param {string} command
 */
function describeFailure(error, command) {
  if (error instanceof CommandRejected) return error.message;
  const failure = requireRequestError(error);
  return failure.code === "offline" ? strings.commandOffline(command) : errorText(failure);
}
