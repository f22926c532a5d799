/** Validation of reactions: one emoji or a short word; the same rules as in `tui_chat/protocol/reactions.py`. */

import { RequestError } from "../net/request_error.js";
import { REACTION_CODE_POINTS, REACTION_COLUMNS } from "./limits.js";
import { EMOJI_ELEMENT, toDisplayName } from "./names.js";
import { countCodePoints, sanitizeLine } from "./sanitize.js";

const EMOJI_SEQUENCE = new RegExp(`^(?:${EMOJI_ELEMENT}(?:\\u200d${EMOJI_ELEMENT})*|[0-9#*]\\ufe0f?\\u20e3|\\p{Regional_Indicator}{2})$`, "u");
// Parts of emoji, enclosing marks, and letters and symbols without a visible glyph.
const FORBIDDEN_IN_WORD =
  /[\p{Extended_Pictographic}\p{Regional_Indicator}\u20dd-\u20e0\u20e2-\u20e4\u115f\u1160\u2800\u3164\uffa0]/u;
// East Asian wide characters (UAX #11) that can occur in words.
const WIDE =
  /[\u1100-\u115f\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;

const INVALID = { reason: "reaction_invalid", params: { limit: REACTION_COLUMNS } };
const TOO_LONG = { ...INVALID, reason: "reaction_too_long" };

/**
 * Return a reaction in its stored form, without surrounding space: an emoji unchanged, a word in compatibility form.
 * @param {string} text
 * @throws {RequestError} `bad_request` or `too_long`.
 */
export function validateReaction(text) {
  const line = sanitizeLine(text);
  if (!line) throw new RequestError("bad_request", { reason: "reaction_empty" });
  if (countCodePoints(line) > REACTION_CODE_POINTS) throw new RequestError("too_long", TOO_LONG);
  if (EMOJI_SEQUENCE.test(line)) return line;
  if (FORBIDDEN_IN_WORD.test(line)) throw new RequestError("bad_request", INVALID);
  const word = toDisplayName(line);
  const columns = word === null ? 0 : countColumns(word);
  if (word === null || word.includes(" ") || columns < 1 || columns > REACTION_COLUMNS) {
    throw new RequestError("bad_request", INVALID);
  }
  return word;
}

/** @param {string} text */
function countColumns(text) {
  let columns = 0;
  for (const character of text) if (!/[\p{Mn}\p{Me}\p{Mc}]/u.test(character)) columns += WIDE.test(character) ? 2 : 1;
  return columns;
}
