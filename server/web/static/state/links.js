/**
 * Detection of links in message text, and parsing of room links; the same rules as in
 * `tui_chat/session/hyperlinks.py` and `tui_chat/client/net/address.py`.
 *
 * - Start: a scheme (`http`, `https`, `chat`, `chats`, `mailto`) or `www.`, not directly after an ASCII letter or digit.
 * - End: white space, quotation marks, closing brackets that were not opened inside the address, and sentence
 *   punctuation of any script. An apostrophe before a letter or a digit is part of the address.
 * - Host: an ASCII host ends at the first CJK character, dash, bullet or arrow. A path may contain these, but no second
 *   `http` URL except after `/` or `=`.
 * - Trailing punctuation belongs to the sentence; `*`, `_` and `~` only if the same sign stands before the address.
 */

/** Quotation marks, brackets, and sentence punctuation (Terminal_Punctuation, PropList.txt) outside of ASCII. */
const PUNCTUATION =
  "\\u00ab\\u00bb\\u2018-\\u201f\\u2039\\u203a" +
  "\\u0f3a-\\u0f3d\\u169b\\u169c\\u2045\\u2046\\u207d\\u207e\\u208d\\u208e\\u2308-\\u230b\\u2329\\u232a\\u2768-\\u2775\\u27c5\\u27c6" +
  "\\u27e6-\\u27ef\\u2983-\\u2998\\u29d8-\\u29db\\u29fc\\u29fd\\u2e02-\\u2e0d\\u2e1c\\u2e1d\\u2e20-\\u2e29\\u2e42\\u2e55-\\u2e5c\\ufd3e\\ufd3f" +
  "\\u0589\\u05c3\\u060c\\u061b\\u061d-\\u061f\\u06d4\\u0700-\\u070a\\u070c\\u07f8\\u07f9\\u0830-\\u083e\\u085e\\u0964\\u0965\\u0e5a\\u0e5b" +
  "\\u0f08\\u0f0d-\\u0f12\\u104a\\u104b\\u1361-\\u1368\\u166e\\u16eb-\\u16ed\\u1735\\u1736\\u17d4-\\u17d6\\u17da\\u1802-\\u1805\\u1808\\u1809" +
  "\\u1944\\u1945\\u1aa8-\\u1aab\\u1b5a\\u1b5b\\u1b5d-\\u1b5f\\u1b7d-\\u1b7f\\u1c3b-\\u1c3f\\u1c7e\\u1c7f\\u2024-\\u2026\\u203c\\u203d" +
  "\\u2047-\\u2049\\u2cf9-\\u2cfb\\u2e2e\\u2e3c\\u2e41\\u2e4c\\u2e4e\\u2e4f\\u2e53\\u2e54\\ua4fe\\ua4ff\\ua60d-\\ua60f\\ua6f3-\\ua6f7" +
  "\\ua876\\ua877\\ua8ce\\ua8cf\\ua92f\\ua9c7-\\ua9c9\\uaa5d-\\uaa5f\\uaadf\\uaaf0\\uaaf1\\uabeb" +
  "\\u3000-\\u3004\\u3008-\\u303f\\ufe10-\\ufe19\\ufe30-\\ufe5e\\uff00-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65" +
  "\\u061c\\u200b\\u200e\\u200f\\u2060-\\u2064\\ufeff";
const CJK =
  "\\u1100-\\u11ff\\u2e80-\\u2fdf\\u3005-\\u3007\\u3040-\\u31ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\ua960-\\ua97f\\uac00-\\ud7ff\\uf900-\\ufaff\\uff10-\\uffdc" +
  "\\u{20000}-\\u{3ffff}";
const TYPOGRAPHY = "\\u2010-\\u2015\\u2020-\\u2023\\u2027\\u2190-\\u21ff";
// No pattern with the flag `u` ignores case, because `ſ` would match `s`.
const SCHEME = /(?:https?|chats?):\/\/|mailto:/iy;
const START = /(?<![0-9a-z])(?:(?:https?|chats?):\/\/|mailto:|(?<![@./_-])www\.)/gi;
const REMAINDER = new RegExp(`(?:[^\\s\\u0085<>"'\`{}|\\\\^${PUNCTUATION}]|'(?=[\\p{L}\\p{N}]))*`, "uy");
const ASCII_HOST = new RegExp(`^([!-.0->@-~]{0,255}[0-9A-Za-z])[${CJK}${TYPOGRAPHY}]([^/?#]{0,255})`, "u");
const MAX_HOST = 1024; // UTF-16 units in which the host is searched
const ADDRESS_PART = /[()[\]?#]|https?:\/\//gi;
const COMPLETE_ADDRESS = /^(?:(?:https?|chats?):\/\/[^/?#]|mailto:.|www\.[^./?#]+\.[^./?#])/i;
const FORMATTING_BEFORE = /[*_~]*$/;
const MAX_FORMATTING = 8; // signs before an address
const DEFAULT_PORT = 3000; // of the schemes `chat` and `chats`
const INVITE = /\?invite=([A-Za-z0-9_-]+)$/;
const CHAT_LINK = /^chat(s?):\/\/([^/?#]*)(.*)$/i;
const ESCAPES = /(?:%[0-9a-f]{2})+/gi;
const PAGE_LINK = /^http(s?):\/\/([^/?#]+)\/[^?#]*#\/([^/?#]+\?invite=[A-Za-z0-9_-]+)$/i;
const TRAILING_PUNCTUATION = ".,;:!?'";
/** @type {Record<string, string>} */
const OPENING_BRACKETS = { ")": "(", "]": "[" };

/**
 * @typedef {object} Link
 * @property {number} start Index of the first UTF-16 unit.
 * @property {string} text
 * @property {string} url Target of the link; the text, with `http://` before `www.`.
 */

/**
 * Return the links of a sanitized text, in text order; their hosts are not validated.
 * @param {string} text
 */
export function findLinks(text) {
  /** @type {Link[]} */
  const links = [];
  let match = matchFrom(START, text, 0);
  let runEnd = 0;
  while (match) {
    const start = match.index;
    const addressStart = start + match[0].length;
    if (addressStart > runEnd) runEnd = addressStart + (matchFrom(REMAINDER, text, addressStart)?.[0].length ?? 0);
    const end = findEnd(text, addressStart, runEnd);
    const formatting = text.slice(Math.max(0, start - MAX_FORMATTING), start).match(FORMATTING_BEFORE)?.[0] ?? "";
    const address = stripEnd(text.slice(start, end), TRAILING_PUNCTUATION + formatting);
    if (COMPLETE_ADDRESS.test(address)) {
      const url = matchFrom(SCHEME, address, 0) ? address : `http://${address}`; // as in GitHub Flavored Markdown
      links.push({ start, text: address, url });
    }
    match = matchFrom(SCHEME, text, end) ?? matchFrom(START, text, end);
  }
  return links;
}

/**
 * Return the room name and the invite code of `room?invite=code`, both empty without a room.
 * @param {string} text Percent-encoded room name, also between slashes; malformed escape sequences stay.
 * @returns {{room: string, invite: string}} `invite` is empty if absent.
 */
export function splitInvite(text) {
  const stripped = stripSlashes(text);
  const match = stripped.match(INVITE);
  const room = decodeEscapes(stripSlashes(match ? stripped.slice(0, match.index) : stripped)).trim();
  return { room, invite: room && match ? match[1] : "" };
}

/**
 * Return server, room and invite code of a room link, or null for other links.
 *
 * Room links have the scheme `chat` or `chats`, or are invite links of the page (`http://host/#/room?invite=code`).
 * @param {string} url
 * @returns {{origin: string, room: string, invite: string} | null}
 */
export function parseRoomLink(url) {
  const [, tls, authority, path] = url.match(CHAT_LINK) ?? url.match(PAGE_LINK) ?? [];
  if (authority === undefined) return null;
  const scheme = tls ? "https:" : "http:";
  try {
    const { hostname, port } = new URL(`${scheme}//${authority}`);
    const isDefaultPort = !port && /^chat/i.test(url) && !/:\d+$/.test(authority);
    const { origin } = new URL(`${scheme}//${hostname}:${isDefaultPort ? DEFAULT_PORT : port}`);
    return { origin, ...splitInvite(path) };
  } catch {
    return null;
  }
}

/**
 * Return the end of an address, before the removal of trailing punctuation.
 * @param {string} text
 * @param {number} start Index after the scheme.
 * @param {number} runEnd Index after the last character that an address can contain.
 */
function findEnd(text, start, runEnd) {
  const host = text.slice(start, Math.min(runEnd, start + MAX_HOST)).match(ASCII_HOST);
  const isInternationalized = !host || (!/[.:]/.test(host[1]) && host[2].includes("."));
  const end = isInternationalized ? runEnd : start + host[1].length;
  /** @type {Record<string, number>} */
  const opened = { "(": 0, "[": 0 };
  let isPath = true;
  for (let part = matchFrom(ADDRESS_PART, text, start); part && part.index < end; part = ADDRESS_PART.exec(text)) {
    const token = part[0];
    if (token in opened) opened[token] += 1;
    else if (token in OPENING_BRACKETS) {
      if (--opened[OPENING_BRACKETS[token]] < 0) return part.index;
    } else if (token.length === 1) isPath = false;
    else if (isPath && (part.index === start || !"/=".includes(text[part.index - 1]))) return part.index;
  }
  return end;
}

/**
 * Match a pattern with the flag `g` or `y`.
 * @param {RegExp} pattern
 * @param {string} text
 * @param {number} position
 */
function matchFrom(pattern, text, position) {
  pattern.lastIndex = position;
  return pattern.exec(text);
}

/**
 * @param {string} text
 * @param {string} characters
 */
function stripEnd(text, characters) {
  let end = text.length;
  while (end > 0 && characters.includes(text[end - 1])) end -= 1;
  return text.slice(0, end);
}

/** @param {string} text */
function stripSlashes(text) {
  return stripEnd(text, "/").replace(/^\/+/, "");
}

/**
 * Decode percent-encoded UTF-8; invalid sequences become U+FFFD.
 * @param {string} text
 */
function decodeEscapes(text) {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return text.replace(ESCAPES, (escapes) => decoder.decode(Uint8Array.from(escapes.slice(1).split("%"), (hex) => parseInt(hex, 16))));
}
