/**
 * Slash command parser; the same grammar as in `tui_chat/session/commands/registry.py`.
 *
 * - An unknown or malformed command is an error and is never sent.
 * - A blank argument is ignored.
 * - `//x` escapes to the text `/x`.
 * - `/me waves` is sent as a regular message and displayed as `* Ann waves`.
 */

import { isBlank, stripSpace } from "./sanitize.js";

/**
 * @typedef {object} CommandSyntax
 * @property {string} [argument] Key of the argument in `strings.arguments`; absent for a command without one.
 * @property {boolean} [isRequired]
 */

/**
 * Commands of the page by name. `/join` and `/nick` without argument open a dialog.
 * @type {Map<string, CommandSyntax>}
 */
export const COMMANDS = new Map([
  ["me", { argument: "text", isRequired: true }],
  ["join", { argument: "room" }],
  ["part", { argument: "room" }],
  ["nick", { argument: "nick" }],
  ["topic", { argument: "topic" }],
  ["search", { argument: "query" }],
  ["list", { argument: "room" }],
  ["names", {}],
  ["delete", {}],
  ["undo", {}],
  ["help", {}],
]);

const ALIASES = new Map(Object.entries({ j: "join", leave: "part", close: "part", who: "names", rooms: "list", find: "search", h: "help" }));

/**
 * Parse composer input.
 * @param {string} text
 * @returns {{text: string} | {command: string, argument: string} | {error: "unknown" | "usage", command: string}}
 *   Text to send, or a command with its argument, or an error with the unknown name or the command's name.
 */
export function parseInput(text) {
  if (text.startsWith("//")) return { text: text.slice(1) };
  if (!text.startsWith("/")) return { text };
  const rawName = text.slice(1).match(/^[^\p{Z}\t-\r]*/u)?.[0] ?? "";
  const rest = text.slice(1 + rawName.length);
  const argument = isBlank(rest) ? "" : stripSpace(rest);
  const name = rawName.toLowerCase();
  const command = ALIASES.get(name) ?? name;
  const syntax = COMMANDS.get(command);
  if (!syntax) return { error: "unknown", command: rawName };
  if (argument ? !syntax.argument : syntax.isRequired) return { error: "usage", command };
  return { command, argument };
}

/**
 * Return the text of an action message without `/me`; null for all other messages.
 * @param {string} text
 */
export function actionText(text) {
  return text.startsWith("/me ") && !isBlank(text.slice(4)) ? stripSpace(text.slice(4)) : null;
}
