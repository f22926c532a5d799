/**
 * Link detection in message text; the same rules as in `tui_chat/ui/timeline/hyperlinks.py`.
 *
 * - Schemes: `http`, `https` and `mailto`, not directly after a Latin letter or a digit.
 * - End: white space, quotes, brackets that URLs do not contain, and CJK punctuation.
 * - Trailing sentence punctuation and unbalanced closing brackets belong to the sentence.
 */

const URL_PATTERN =
  /(?<![0-9A-Za-z])(?:[Hh][Tt][Tt][Pp][Ss]?:\/\/|[Mm][Aa][Ii][Ll][Tt][Oo]:)[^\s\u0085<>"'`{}|\\^\u2018-\u201f\u2026\u3000-\u3004\u3008-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\ufeff]+/g;
const COMPLETE_URL = /^(?:https?:\/\/|mailto:)./i;
const TRAILING_PUNCTUATION = ".,;:!?*_~";
/** @type {Record<string, string>} */
const OPENING_BRACKETS = { ")": "(", "]": "[" };

/**
 * Find the links of a sanitized text, in text order.
 * @param {string} text
 * @returns {{start: number, url: string}[]} Index of the first UTF-16 unit, and the text of each link.
 */
export function findLinks(text) {
  return [...text.matchAll(URL_PATTERN)]
    .map((match) => ({ start: match.index, url: stripTrailingPunctuation(match[0]) }))
    .filter(({ url }) => COMPLETE_URL.test(url));
}

/** @param {string} match */
function stripTrailingPunctuation(match) {
  let url = match;
  for (;;) {
    const last = url.slice(-1);
    const opener = OPENING_BRACKETS[last];
    const isTrailing = opener ? count(url, last) > count(url, opener) : last !== "" && TRAILING_PUNCTUATION.includes(last);
    if (!isTrailing) return url;
    url = url.slice(0, -1);
  }
}

/**
 * @param {string} text
 * @param {string} character
 */
function count(text, character) {
  return text.split(character).length - 1;
}
