/**
 * What may stand under a message: one emoji or a short word, as the server wants it
 * (tui_chat/protocol/reactions.py), so that nothing is offered that would be refused.
 */

const ONE = "\\p{Extended_Pictographic}[\\ufe0e\\ufe0f]?\\p{Emoji_Modifier}?(?:[\\u{e0020}-\\u{e007e}]+\\u{e007f})?";
const EMOJI = new RegExp(`^(?:${ONE}(?:\\u200d${ONE})*|[0-9#*]\\ufe0f?\\u20e3|\\p{Regional_Indicator}{2})$`, "u");
const NO_WORD =
  /[\s\p{C}\p{Extended_Pictographic}\p{Regional_Indicator}\p{Default_Ignorable_Code_Point}\p{Me}\u2800]|^\p{M}/u;
const WIDE_FROM = 0x1100; // a code point from here on may take two columns
const COLUMNS = 8;

/** @returns {boolean} Whether a trimmed text can be a reaction. */
export function isReaction(text) {
  return EMOJI.test(text) || (text !== "" && !NO_WORD.test(text) && columns(text) <= COLUMNS);
}

function columns(text) {
  let sum = 0;
  for (const character of text) if (!/\p{M}/u.test(character)) sum += character.codePointAt(0) < WIDE_FROM ? 1 : 2;
  return sum;
}
