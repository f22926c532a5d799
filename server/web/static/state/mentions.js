/** Mention tokenizer (docs/protocol.md, "Mentions"); the same rules as in `tui_chat/protocol/mentions.py`. */

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
      if (!isInsideAddress(folded.slice(0, index))) this.#tails.push(folded.slice(index + 1));
    }
    if (folded.includes(":")) this.#start = folded;
  }

  /** True if the text contains `@room` outside of code. */
  get includesRoom() {
    return this.#tails.some((tail) => startsWithName(tail, ROOM));
  }

  /**
   * Return whether the text contains `@name` outside of code, or starts with `name:`, in any spelling with the same canonical
   * form; the empty name is never mentioned.
   * @param {string} name
   * @param {Iterable<string>} memberNames Names of the members; after `@`, a longer name that matches takes precedence.
   */
  includes(name, memberNames = []) {
    const key = canonicalName(name);
    if (key === "") return false;
    if (this.#start.startsWith(`${key}:`)) return true;
    const tails = this.#tails.filter((tail) => startsWithName(tail, key));
    if (!tails.length) return false;
    const longerKeys = [...memberNames].map(canonicalName).filter((other) => other.startsWith(key) && other !== key);
    return tails.some((tail) => !longerKeys.some((other) => startsWithName(tail, other)));
  }
}

/** @type {WeakMap<object, MentionTokens>} */
const tokensByItem = new WeakMap();

/**
 * Return whether a message mentions the user by nickname or account name, or contains `@room` and is by a present moderator
 * or owner. Messages of the user are included.
 * @param {import("./room_log.js").Item} item
 * @param {object} room
 * @param {string} room.nick Nickname of the user.
 * @param {Set<string>} room.ownMemberIds All member ids of the user in this session.
 * @param {Map<string, import("./room.js").Member>} room.members Present members.
 */
export function isMentioned(item, { nick, ownMemberIds, members }) {
  const tokens = tokensByItem.get(item) ?? new MentionTokens(item.message ?? "");
  tokensByItem.set(item, tokens);
  const accounts = [...ownMemberIds].map((memberId) => members.get(memberId)?.account ?? "");
  return (
    [nick, ...accounts].some((name) => tokens.includes(name, nickNames(members))) ||
    (tokens.includesRoom && MODERATOR_ROLES.has(members.get(item.memberId)?.role ?? ""))
  );
}

/** @param {Map<string, import("./room.js").Member>} members */
function* nickNames(members) {
  for (const { nickName } of members.values()) yield nickName;
}

/**
 * Return whether an `@` after this text belongs to an address or path.
 * @param {string} textBefore
 */
export function isInsideAddress(textBefore) {
  const preceding = lastCharacter(textBefore);
  return "@/".includes(preceding || " ") || isSpacedWordCharacter(preceding);
}

/**
 * Return whether a text starts with a name that ends at a word boundary.
 * @param {string} tail Text after an `@`.
 * @param {string} key Canonical name.
 */
function startsWithName(tail, key) {
  return tail.startsWith(key) && endsAtBoundary(key, tail.slice(key.length));
}

/**
 * Return whether a word boundary separates a name from the following text.
 * @param {string} name
 * @param {string} following
 */
function endsAtBoundary(name, following) {
  return !isSpacedWordCharacter(lastCharacter(name)) || !isSpacedWordCharacter(String.fromCodePoint(following.codePointAt(0) ?? 32));
}

/**
 * Return the last code point; empty for an empty text.
 * @param {string} text
 */
function lastCharacter(text) {
  return text.slice(-2).match(/.$/su)?.[0] ?? "";
}

/**
 * Return whether a character belongs to a word of a script with spaces; false for an empty string.
 * @param {string} character
 */
function isSpacedWordCharacter(character) {
  return WORD_CHARACTER.test(character) && !UNSPACED.test(character);
}
