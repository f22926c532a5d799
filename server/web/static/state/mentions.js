/**
 * Whether a text names somebody, as a word of its own; case does not matter.
 */

export function mentions(text, nick) {
  const folded = text.toLowerCase();
  const name = nick.toLowerCase();
  for (let at = folded.indexOf(name); at >= 0 && name; at = folded.indexOf(name, at + 1)) {
    if (!joined(folded, at) && !joined(folded, at + name.length)) return true;
  }
  return false;
}

/** Whether a word goes on over this place. Scripts without spaces have no such words. */
function joined(text, place) {
  const before = text.slice(0, place).match(/[\p{L}\p{N}_]$/u)?.[0];
  const after = text.slice(place).match(/^[\p{L}\p{N}_]/u)?.[0];
  return Boolean(before && after && !spaceless(before) && !spaceless(after));
}

function spaceless(character) {
  return /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(character);
}
