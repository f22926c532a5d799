/**
 * What people wrote, as DOM nodes. Text becomes text nodes and nothing else; the
 * only element that a message can bring about is a link to http, https or mailto.
 */

// An address ends at a space, at what quotes it, and at CJK punctuation.
const ADDRESS =
  /\b(?:https?:\/\/|mailto:)[^\s<>"'`\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]+/giu;
const PICTURES =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[\u200d\ufe0f\u20e3]|\s){1,24}$/u;
const SCHEMES = new Set(["http:", "https:", "mailto:"]);
const PICTURES_AT_MOST = 3;

/** @returns {Node[]} The text, with its links made links. */
export function textNodes(text) {
  const nodes = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(ADDRESS)) {
    const address = trimmed(found);
    const link = linkTo(address);
    if (!link) continue;
    if (index > done) nodes.push(document.createTextNode(text.slice(done, index)));
    nodes.push(link);
    done = index + address.length;
  }
  if (done < text.length) nodes.push(document.createTextNode(text.slice(done)));
  return nodes;
}

/** Whether a text is one to three emoji and nothing else. */
export function isPicture(text) {
  return PICTURES.test(text) && graphemes(text).filter((one) => one.trim()).length <= PICTURES_AT_MOST;
}

/** The user-perceived characters of a text (UAX #29). */
export function graphemes(text) {
  if (typeof Intl.Segmenter !== "function") return Array.from(text);
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

function linkTo(address) {
  if (!SCHEMES.has(schemeOf(address))) return null;
  const link = document.createElement("a");
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.textContent = address;
  return link;
}

function schemeOf(address) {
  try {
    return new URL(address).protocol;
  } catch {
    return ""; // "https://" and nothing behind it
  }
}

/** The address without the punctuation of the sentence around it. */
function trimmed(found) {
  let address = found;
  for (;;) {
    const last = address.at(-1);
    const closes = { ")": "(", "]": "[", "}": "{" }[last];
    const stray = closes ? count(address, last) > count(address, closes) : /[.,;:!?*_~'"]/.test(last);
    if (!stray) return address;
    address = address.slice(0, -1);
  }
}

function count(text, character) {
  return text.split(character).length - 1;
}
