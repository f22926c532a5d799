/**
 * Slash command parser; the same grammar as in `tui_chat/session/commands/registry.py`.
 *
 * - An unknown or malformed command is an error and is never sent.
 * - A blank argument is ignored.
 * - `//x` escapes to the text `/x`.
 */

import { isBlank, stripSpace } from "./sanitize.js";

/**
 * @typedef {object} CommandSyntax
 * @property {string} [argument] Key of the argument in `strings.arguments`; absent for a command without one.
 * @property {boolean} [isRequired]
 * @property {"nick" | "policy"} [completion] Source of the completion of the argument.
 */

/** @type {CommandSyntax} */
const NICK = { argument: "nick", isRequired: true, completion: "nick" };

/**
 * Commands of the page by name.
 * @type {Map<string, CommandSyntax>}
 */
export const COMMANDS = new Map([
  ["join", { argument: "room" }],
  ["part", { argument: "room" }],
  ["forget", { argument: "room" }],
  ["list", { argument: "room" }],
  ["nick", { argument: "nick" }],
  ["names", { argument: "namePart" }],
  ["whois", NICK],
  ["query", NICK],
  ["msg", { ...NICK, argument: "nickAndText" }],
  ["me", { argument: "text", isRequired: true }],
  ["shrug", { argument: "text" }],
  ["reply", { argument: "text" }],
  ["react", { argument: "emoji", isRequired: true }],
  ["edit", { argument: "text" }],
  ["delete", {}],
  ["undo", {}],
  ["unread", {}],
  ["topic", { argument: "topic" }],
  ["search", { argument: "query" }],
  ["mentions", {}],
  ["away", { argument: "text" }],
  ["back", {}],
  ["mute", { argument: "room" }],
  ["unmute", { argument: "room" }],
  ["block", NICK],
  ["unblock", { ...NICK, completion: undefined }],
  ["blocks", {}],
  ["create", { argument: "newRoom", isRequired: true }],
  ["rename", { argument: "room", isRequired: true }],
  ["invite", { argument: "inviteLimits" }],
  ["invites", {}],
  ["group-code", {}],
  ["uninvite", { argument: "inviteId", isRequired: true }],
  ["hook", { argument: "hookName", isRequired: true }],
  ["hooks", {}],
  ["unhook", { argument: "hookName", isRequired: true }],
  ["policy", { argument: "fieldAndValue", completion: "policy" }],
  ["kick", { ...NICK, argument: "nickAndReason" }],
  ["silence", { ...NICK, argument: "nickAndEnd" }],
  ["unsilence", NICK],
  ["ban", { ...NICK, argument: "nickAndBan" }],
  ["unban", { ...NICK, completion: undefined }],
  ["op", { ...NICK, argument: "nickAndRole" }],
  ["deop", NICK],
  ["transfer", NICK],
  ["sanctions", {}],
  ["audit", {}],
  ["delete-room", {}],
  ["login", {}],
  ["register", {}],
  ["account", {}],
  ["clear", {}],
  ["reconnect", {}],
  ["settings", {}],
  ["help", {}],
]);

const MAX_EDITS = 2; // of a wrong command name
const ALIASES = new Map(
  Object.entries({
    j: "join",
    leave: "part",
    close: "part",
    who: "names",
    rooms: "list",
    go: "list",
    switch: "list",
    find: "search",
    logout: "account",
    devices: "account",
    password: "account",
    "delete-account": "account",
    preferences: "settings",
    h: "help",
  }),
);

/**
 * Return the command names that start with a text, then matching aliases of other commands, except those of one letter.
 * @param {string} prefix Typed part without the slash.
 */
export function completeCommand(prefix) {
  const start = prefix.toLowerCase();
  const names = [...COMMANDS.keys()].filter((name) => name.startsWith(start));
  if (!start) return names;
  const aliases = [...ALIASES].filter(([alias, name]) => alias.length > 1 && alias.startsWith(start) && !names.includes(name));
  return [...names, ...aliases.map(([alias]) => alias)];
}

/**
 * Return the syntax of a command or alias; undefined for an unknown one.
 * @param {string} name Name in any case.
 * @returns {CommandSyntax | undefined}
 */
export function findCommand(name) {
  return COMMANDS.get(commandName(name));
}

/**
 * Return the command of an alias; any other name in lower case.
 * @param {string} name Name in any case.
 */
function commandName(name) {
  return ALIASES.get(name.toLowerCase()) ?? name.toLowerCase();
}

/**
 * Parse composer input.
 * @param {string} text
 * @returns {{text: string} | {command: string, argument: string} | {error: "unknown" | "usage", command: string}}
 *   Text to send, or a command with its argument, or an error: an unknown name as typed, or a command whose argument is
 *   missing or superfluous. An alias is replaced by its command.
 */
export function parseInput(text) {
  if (text.startsWith("//")) return { text: text.slice(1) };
  if (!text.startsWith("/")) return { text };
  const rawName = text.slice(1).match(/^[^\p{Z}\t-\r]*/u)?.[0] ?? "";
  const rest = text.slice(1 + rawName.length);
  const argument = isBlank(rest) ? "" : stripSpace(rest);
  const command = commandName(rawName);
  const syntax = COMMANDS.get(command);
  if (!syntax) return { error: "unknown", command: rawName };
  if (argument ? !syntax.argument : syntax.isRequired) return { error: "usage", command };
  return { command, argument };
}

/**
 * Return the composer input that sends a message text: another `/` before a leading one, except for an action.
 * @param {string} text
 */
export function escapeText(text) {
  return text.startsWith("/") && actionText(text) === null ? `/${text}` : text;
}

/**
 * Return the first command or alias that starts with an unknown name, otherwise the nearest one; empty without a similar
 * one. At most `MAX_EDITS` edits, and fewer than the length of the name, count as similar.
 * @param {string} name
 */
export function nearestCommand(name) {
  const lowerName = name.toLowerCase();
  let nearest = "";
  let fewestEdits = Math.min(MAX_EDITS, lowerName.length - 1) + 1;
  for (const candidate of [...COMMANDS.keys(), ...ALIASES.keys()]) {
    const edits = candidate.startsWith(lowerName) ? 0 : countEdits(lowerName, candidate);
    if (candidate.length > 1 && edits < fewestEdits) [nearest, fewestEdits] = [candidate, edits];
  }
  return nearest;
}

/**
 * Return the edit distance of two words, in which swapped neighbors count as one edit; infinite for words whose lengths
 * differ by more than `MAX_EDITS`.
 * @param {string} word
 * @param {string} target
 */
function countEdits(word, target) {
  if (Math.abs(word.length - target.length) > MAX_EDITS) return Infinity;
  /** @type {number[][]} */
  const rows = [Array.from({ length: target.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= word.length; row += 1) {
    rows.push([row]);
    for (let column = 1; column <= target.length; column += 1) {
      const isEqual = word[row - 1] === target[column - 1];
      const isSwap = word[row - 1] === target[column - 2] && word[row - 2] === target[column - 1];
      const swap = isSwap ? rows[row - 2][column - 2] + 1 : Infinity;
      rows[row].push(Math.min(rows[row - 1][column] + 1, rows[row][column - 1] + 1, rows[row - 1][column - 1] + (isEqual ? 0 : 1), swap));
    }
  }
  return rows[word.length][target.length];
}

/**
 * Return the text of an action message without `/me`; null for all other messages.
 * @param {string} text
 */
export function actionText(text) {
  return text.startsWith("/me ") && !isBlank(text.slice(4)) ? stripSpace(text.slice(4)) : null;
}
