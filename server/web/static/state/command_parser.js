/**
 * What is typed with a slash in front: the commands of the page, and what they mean.
 *
 * Rule 1  An unknown command is an error and is never sent; `//x` says `/x`.
 * Rule 2  `/me waves` is a message like any other, and is shown as `* Ann waves`.
 */

const ALIASES = { close: "leave", j: "join", part: "leave", rooms: "list", who: "names" };

/** Every command, with the name of its argument in `words.arguments`, if it takes one. */
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
 * @param {string} text What was written.
 * @returns {{say: string} | {command: string, argument: string} | {unknown: string}}
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

/** What somebody does, of a message that says so; null of any other. */
export function actionText(text) {
  return text.match(/^\/me\s+(\S[^]*)$/)?.[1] ?? null;
}
