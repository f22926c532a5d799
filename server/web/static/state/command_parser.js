/**
 * Slash command parser.
 *
 * - Unknown commands are errors and are never sent. `//x` escapes to the text `/x`.
 * - `/me waves` is sent as a regular message and displayed as `* Ann waves`.
 */

const ALIASES = { close: "leave", j: "join", part: "leave", rooms: "list", who: "names" };

/** Commands with the `strings.arguments` key of their argument, or null. */
export const COMMANDS = {
  me: "text",
  join: "room",
  leave: null,
  nick: "nick",
  topic: "topic",
  search: "query",
  list: null,
  names: null,
  help: null,
};

/**
 * Parse composer input.
 * @param {string} text
 * @returns {{text?: string, command?: string, argument?: string, unknown?: string}} Either `text` to send, a
 *   `command` with its `argument`, or the name of an `unknown` command.
 */
export function parseInput(text) {
  if (!text.startsWith("/") || text === "/") return { text };
  if (text.startsWith("//")) return { text: text.slice(1) };
  const [, rawName, argument] = text.match(/^\/(\S*)\s*([^]*)$/);
  const name = rawName.toLowerCase();
  const command = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
  if (command === "me" && argument.trim()) return { text: `/me ${argument}` };
  if (!Object.hasOwn(COMMANDS, command)) return { unknown: rawName };
  return { command, argument: argument.trim() };
}

/** Return the text after `/me`; null for all other messages. */
export function actionText(text) {
  return text.match(/^\/me\s+(\S[^]*)$/)?.[1] ?? null;
}
