/**
 * Mention tokenizer (docs/protocol.md, "Mentions"); the same rules as in `tui_chat/protocol/mentions.py`.
 */

import { UNSPACED, canonicalName, collapseSpaces, fold } from "./names.js";

const ROOM = "room";
const MODERATOR_ROLES = new Set(["moderator", "owner"]);
const CODE = /(?<!`)(`+)(?!`)[^]+?(?<!`)\1(?!`)|(?<!`)`{3,}[^]*/g;
const WORD_CHARACTER = /[\p{L}\p{M}\p{N}_]/u;

/** Mentions in one message. */
export class MentionTokens {
  #start = ""; // folded text, if a name at its start can be a mention
  /** @type {string[]} */
  #tails = []; // folded text after each `@`

  /** @param {string} text */
  constructor(text) {
    const folded = collapseSpaces(fold(text.replace(CODE, "`")));
    for (let index = folded.indexOf("@"); index >= 0; index = folded.indexOf("@", index + 1)) {
      const preceding = lastCharacter(folded.slice(0, index));
      if (!"@/".includes(preceding || " ") && !isSpacedWordCharacter(preceding)) this.#tails.push(folded.slice(index + 1));
    }
    if (folded.includes(":")) this.#start = folded;
  }

  /** True if the text mentions all members. */
  get includesRoom() {
    return this.#isAfterAt(ROOM);
  }

  /**
   * Return whether the text mentions a name; the empty name is never mentioned.
   * @param {string} name
   */
  includes(name) {
    const key = canonicalName(name);
    return key !== "" && (this.#start.startsWith(`${key}:`) || this.#isAfterAt(key));
  }

  /** @param {string} key */
  #isAfterAt(key) {
    return this.#tails.some((tail) => tail.startsWith(key) && endsAtBoundary(key, tail.slice(key.length)));
  }
}

/** @type {WeakMap<object, MentionTokens>} */
const tokensByItem = new WeakMap();

/**
 * Return whether a message mentions the user by name, or all members on behalf of a moderator.
 * @param {import("./room_log.js").Item} item
 * @param {string} nick Nickname of the user.
 * @param {Map<string, import("./room.js").Member>} members Present members.
 */
export function isMentioned(item, nick, members) {
  const tokens = tokensByItem.get(item) ?? new MentionTokens(item.message ?? "");
  tokensByItem.set(item, tokens);
  return tokens.includes(nick) || (tokens.includesRoom && MODERATOR_ROLES.has(members.get(item.memberId)?.role ?? ""));
}

/**
 * Return whether a name can end between two texts.
 * @param {string} name
 * @param {string} following
 */
function endsAtBoundary(name, following) {
  return !isSpacedWordCharacter(lastCharacter(name)) || !isSpacedWordCharacter(String.fromCodePoint(following.codePointAt(0) ?? 32));
}

/** @param {string} text */
function lastCharacter(text) {
  return text.slice(-2).match(/.$/su)?.[0] ?? "";
}

/** @param {string} character */
function isSpacedWordCharacter(character) {
  return WORD_CHARACTER.test(character) && !UNSPACED.test(character);
}
