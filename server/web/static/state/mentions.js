/** Return whether `text` contains `nick` as a whole word, ignoring case. */
export function mentionsNick(text, nick) {
  const folded = text.toLowerCase();
  const needle = nick.toLowerCase();
  for (let index = folded.indexOf(needle); index >= 0 && needle; index = folded.indexOf(needle, index + 1)) {
    if (!isInsideWord(folded, index) && !isInsideWord(folded, index + needle.length)) return true;
  }
  return false;
}

/** Return whether a word spans `index`. In scripts without spaces, each position is a word boundary. */
function isInsideWord(text, index) {
  const preceding = text.slice(0, index).match(/[\p{L}\p{N}_]$/u)?.[0];
  const following = text.slice(index).match(/^[\p{L}\p{N}_]/u)?.[0];
  return Boolean(preceding && following && !isSpaceless(preceding) && !isSpaceless(following));
}

function isSpaceless(character) {
  return /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(character);
}
