/**
 * Rendering of message text.
 *
 * Text becomes text nodes. The only elements are links to http, https and mailto URLs.
 */

// URLs end at whitespace, quotes, angle brackets and CJK punctuation.
const URL_PATTERN =
  /\b(?:https?:\/\/|mailto:)[^\s<>"'`\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+/giu;
const EMOJI_ONLY_PATTERN =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[\u200d\ufe0f\u20e3]|\s){1,24}$/u;
const ALLOWED_SCHEMES = new Set(["http:", "https:", "mailto:"]);
const MAX_EMOJI = 3;

/**
 * Convert text to DOM nodes with clickable URLs.
 * @returns {Node[]}
 */
export function linkify(text) {
  const nodes = [];
  let position = 0;
  for (const { 0: match, index } of text.matchAll(URL_PATTERN)) {
    const url = trimPunctuation(match);
    const link = createLink(url);
    if (!link) continue;
    if (index > position) nodes.push(document.createTextNode(text.slice(position, index)));
    nodes.push(link);
    position = index + url.length;
  }
  if (position < text.length) nodes.push(document.createTextNode(text.slice(position)));
  return nodes;
}

/** Return whether a text consists of one to three emoji. */
export function isEmojiOnly(text) {
  return EMOJI_ONLY_PATTERN.test(text) && graphemes(text).filter((grapheme) => grapheme.trim()).length <= MAX_EMOJI;
}

/** Split text into grapheme clusters (UAX #29). */
export function graphemes(text) {
  if (typeof Intl.Segmenter !== "function") return Array.from(text);
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

function createLink(url) {
  if (!ALLOWED_SCHEMES.has(schemeOf(url))) return null;
  const link = document.createElement("a");
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.textContent = url;
  return link;
}

function schemeOf(url) {
  try {
    return new URL(url).protocol;
  } catch {
    return ""; // incomplete URL such as "https://"
  }
}

/** Strip sentence punctuation and unbalanced brackets from the end of a URL. */
function trimPunctuation(match) {
  let url = match;
  for (;;) {
    const last = url.at(-1);
    const opener = { ")": "(", "]": "[", "}": "{" }[last];
    const isTrailing = opener ? count(url, last) > count(url, opener) : /[.,;:!?*_~'"]/.test(last);
    if (!isTrailing) return url;
    url = url.slice(0, -1);
  }
}

function count(text, character) {
  return text.split(character).length - 1;
}
