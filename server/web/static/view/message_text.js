/**
 * Rendering of message text.
 *
 * Text becomes text nodes. The only elements are links, and a span with the real host after each disguised address.
 * Links are http, https and mailto URLs, and room links (`chat://host/room`, `chats://host/room`).
 */

import { strings } from "../i18n/strings.js";
import { disguisedHost } from "../state/disguised_hosts.js";
import { findLinks } from "../state/links.js";
import { graphemes } from "../state/names.js";
import { createElement } from "./dom.js";

const EMOJI_ONLY_PATTERN =
  /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}|[\u200d\ufe0f\u20e3]|\s){1,24}$/u;
const ALLOWED_SCHEMES = new Set(["http:", "https:", "mailto:", "chat:", "chats:"]);
const MAX_EMOJI = 3;

/**
 * Return a text as DOM nodes, with links for its addresses, and the real host after each disguised address. An address
 * stays text if its URL is invalid or has another scheme.
 * @param {string} text Sanitized text.
 * @returns {Node[]}
 */
export function linkify(text) {
  const nodes = [];
  let position = 0;
  for (const { start, text: address, url } of findLinks(text)) {
    const link = createLink(address, url);
    if (!link) continue;
    if (start > position) nodes.push(document.createTextNode(text.slice(position, start)));
    nodes.push(link);
    const host = disguisedHost(address);
    if (host) nodes.push(createElement("span", "link-host", ` ${strings.linkHost(host)}`));
    position = start + address.length;
  }
  if (position < text.length) nodes.push(document.createTextNode(text.slice(position)));
  return nodes;
}

/**
 * Return whether a text consists of at most `MAX_EMOJI` emoji and white space, with at most 24 code points in total.
 * @param {string} text Text that is not blank.
 */
export function isEmojiOnly(text) {
  return EMOJI_ONLY_PATTERN.test(text) && graphemes(text).filter((grapheme) => grapheme.trim()).length <= MAX_EMOJI;
}

/**
 * Return the link of an address; null for an invalid URL or another scheme.
 * @param {string} address Address in the text.
 * @param {string} url URL of the address.
 */
function createLink(address, url) {
  if (!ALLOWED_SCHEMES.has(schemeOf(url))) return null;
  const link = document.createElement("a");
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.textContent = address;
  link.dir = "ltr"; // the order of host and path is independent of the paragraph
  return link;
}

/**
 * Return the scheme of a URL with its colon; empty for an invalid URL.
 * @param {string} url
 */
function schemeOf(url) {
  try {
    return new URL(url).protocol;
  } catch {
    return ""; // invalid URL such as "https://[::1/"
  }
}
