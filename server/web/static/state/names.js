/**
 * Comparison and validation of nicknames and room names; the same rules as in `tui_chat/protocol/names.py`, the
 * PRECIS Nickname profile (RFC 8266).
 *
 * The server has the final decision, because browser and server can support different versions of Unicode.
 */

import { RequestError } from "../net/request_error.js";
import { NAME_CODE_POINTS, NICKNAME_GRAPHEMES, ROOM_NAME_GRAPHEMES } from "./limits.js";
import { countCodePoints, stripSpace } from "./sanitize.js";

/** Pattern of a text without characters beyond ASCII. */
export const ASCII = /^[\0-\x7f]*$/;
const SPACES = /[\p{Z}\t-\r]+/gu;
/** Source of a pattern of one element of an emoji sequence (UTS #51, ED-15). */
export const EMOJI_ELEMENT =
  "\\p{Extended_Pictographic}[\\ufe0e\\ufe0f]?\\p{Emoji_Modifier}?(?:[\\u{e0020}-\\u{e007e}]+\\u{e007f})?";
/** Presentation selectors of emoji sequences, which are dropped. */
const SELECTORS =
  /(?<=\p{Extended_Pictographic})[\ufe0e\ufe0f]|(?<=\p{Emoji_Modifier})\ufe0f|(?<=[0-9#*])\ufe0f(?=\u20e3)/gu;
/** Placeholder of an emoji sequence during the validation. */
const PLACEHOLDER = "\u2603";
const SEQUENCES = new RegExp(
  `${EMOJI_ELEMENT}(?:\\u200d${EMOJI_ELEMENT})+|\\p{Extended_Pictographic}\\p{Emoji_Modifier}?[\\u{e0020}-\\u{e007e}]+\\u{e007f}|${PLACEHOLDER}`,
  "gu",
);
/** Characters without a visible glyph, words that start with a combining mark, and letters with more than four marks. */
const INVISIBLE_OR_STACKED = /[\u2800\ufffc\u{13441}\u{13442}\u{1d159}]|(?:^| )\p{M}|\p{M}{5}/u;
/** Imitations of an author (`ann: hi`, `* ann`) or a list of names in a line of text. */
const NICK_SEPARATORS = /[:,;] |\u3001|^\* /;
const RESERVED_NICKS = new Set(["room", "everyone"]);
/** Names with a reserved prefix, except the audit room and room addresses. */
const RESERVED_ROOM_NAME = /^(?:&(?!audit$)|~(?![a-z2-7]{16}$))/;
/** Controls, invisible characters, conjoining Hangul, and the exceptions of RFC 5892, section 2.6. */
const FORBIDDEN =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u1100-\u11ff\ua960-\ua97c\ud7b0-\ud7fb\u0640\u07fa\u302e\u302f\u3031-\u3035\u303b]/u;
// Characters with a context rule (RFC 5892, appendix A).
const MIDDLE_DOT = /(?<!l)\u00b7|\u00b7(?!l)/;
const KERAIA = /\u0375(?!\p{Script=Greek})/u;
const GERESH = /(?<!\p{Script=Hebrew})[\u05f3\u05f4]/u;
const KATAKANA_DOT = /\u30fb/;
const KANA_OR_HAN = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u;
const ARABIC_DIGITS = /[\u0660-\u0669]/;
const EXTENDED_ARABIC_DIGITS = /[\u06f0-\u06f9]/;
/** Scripts without spaces between words, as in `tui_chat/protocol/scripts.py`. */
export const UNSPACED =
  /[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff\u3005-\u3007\u3040-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]/u;
const ONE_WORD = /^[\p{L}\p{M}\p{N}_.'’-]+$/u;
const QUOTES = /["'`´ʹʺʼˮ‘’‚‛“”„‟′″‴‵‶‷❛❜❝❞〝〞〟]{2,}|["ʺˮ“”„‟″‴‶‷❝❞〝〞〟]/g;

const segmenter = new Intl.Segmenter();

/**
 * Return the comparison form of a text: NFKC and full case folding, without the presentation selectors of emoji.
 *
 * Unlike lower case, folding equates ß with SS and all forms of sigma.
 * @param {string} text
 */
export function fold(text) {
  if (ASCII.test(text)) return text.toLowerCase();
  text = text.replace(SELECTORS, "");
  const cased = text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\u0131]+/gu, (part) => part.toUpperCase().toLowerCase());
  // Cherokee is the only script that folds to upper case (Unicode, CaseFolding.txt).
  const folded = cased.replaceAll("ς", "σ").replace(/\p{Script=Cherokee}/gu, (letter) => letter.toUpperCase());
  return folded.normalize("NFKC");
}

/**
 * Return the comparison key of a room name or nickname.
 * @param {string} name
 */
export function canonicalName(name) {
  return collapseSpaces(fold(name));
}

/**
 * Return a text with one space for each run of white space, and without white space at both ends.
 * @param {string} text
 */
export function collapseSpaces(text) {
  return stripSpace(text.replace(SPACES, " "));
}

/**
 * Return the display form of a nickname (`toDisplayName`); reserved nicknames and imitations of authors are invalid.
 * @param {string} name
 * @throws {RequestError} `nick_invalid` or `too_long`.
 */
export function validateNickname(name) {
  const nick = validateName(name, NICKNAME_GRAPHEMES, "nick_invalid", "nick");
  if (RESERVED_NICKS.has(canonicalName(nick))) throw new RequestError("nick_invalid", { reason: "nick_reserved" });
  if (NICK_SEPARATORS.test(nick)) throw new RequestError("nick_invalid");
  return nick;
}

/**
 * Return the display form of a room name (`toDisplayName`); names with a reserved prefix are invalid.
 * @param {string} name
 * @throws {RequestError} `room_invalid` or `too_long`.
 */
export function validateRoomName(name) {
  const roomName = validateName(name, ROOM_NAME_GRAPHEMES, "room_invalid", "room_name");
  if (RESERVED_ROOM_NAME.test(roomName)) {
    throw new RequestError("room_invalid", { reason: "room_name_reserved", params: { character: roomName[0] } });
  }
  return roomName;
}

/**
 * Return the display form of a nickname or room name (`toDisplayName`).
 * @param {string} name
 * @param {number} maxGraphemes
 * @param {"nick_invalid" | "room_invalid"} invalidCode
 * @param {"nick" | "room_name"} subject First part of the reasons.
 * @throws {RequestError} `invalidCode` or `too_long`.
 */
function validateName(name, maxGraphemes, invalidCode, subject) {
  const tooLong = { reason: `${subject}_too_long`, params: { limit: maxGraphemes } };
  if (countCodePoints(name) > NAME_CODE_POINTS) throw new RequestError("too_long", tooLong);
  const displayName = toDisplayName(name);
  if (displayName === null || INVISIBLE_OR_STACKED.test(displayName)) throw new RequestError(invalidCode);
  if (graphemes(displayName).length > maxGraphemes) throw new RequestError("too_long", tooLong);
  return displayName;
}

/**
 * Return a name in compatibility form with single spaces; null for an invalid name. Emoji sequences stay, without their
 * presentation selectors.
 * @param {string} name
 */
export function toDisplayName(name) {
  const spaced = name.replace(SELECTORS, "").replace(/\p{Zs}/gu, " ");
  const sequences = spaced.match(SEQUENCES) ?? [];
  const reduced = spaced.replace(SEQUENCES, PLACEHOLDER);
  const displayName = reduced.normalize("NFKC").replace(/ +/g, " ").replace(/^ | $/g, "");
  if (!displayName || isForbidden(displayName) || FORBIDDEN.test(reduced)) return null;
  return displayName.replaceAll(PLACEHOLDER, () => sequences.shift() ?? "");
}

/**
 * Split text into grapheme clusters (UAX #29).
 * @param {string} text
 */
export function graphemes(text) {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** @param {string} name */
function isForbidden(name) {
  return (
    FORBIDDEN.test(name) ||
    MIDDLE_DOT.test(name) ||
    KERAIA.test(name) ||
    GERESH.test(name) ||
    (KATAKANA_DOT.test(name) && !KANA_OR_HAN.test(name.replaceAll("\u30fb", ""))) ||
    (ARABIC_DIGITS.test(name) && EXTENDED_ARABIC_DIGITS.test(name))
  );
}

/**
 * Return a nickname for a notice. Quotation marks around a nickname of several words, or with characters of a script
 * without spaces, distinguish the nickname from the text of the notice. Quotation marks inside become apostrophes.
 * @param {string} nick
 */
export function quoteName(nick) {
  return ONE_WORD.test(nick) && !UNSPACED.test(nick) ? nick : `“${nick.replace(QUOTES, "'")}”`;
}
