/**
 * Detection of addresses whose text suggests another host than their target; the same rules as in
 * `tui_chat/session/disguised_hosts.py`.
 *
 * - User information: `https://paypal.com@evil.example/` leads to `evil.example`.
 * - Mapped characters: compatibility forms and invisible characters, which name resolution replaces or removes.
 * - Symbols: non-ASCII characters other than letters, marks and digits, such as the fraction slash (RFC 5892).
 * - Mixed scripts: letters of several scripts in one label, outside of the combinations of UTS #39, section 5.2.
 * - Lookalikes: labels under an ASCII domain that consist of letters in the shape of ASCII letters (UTS #39, section 4).
 */

import { ASCII } from "./names.js";

/** Recommended scripts (UAX #31, table 5). */
const SCRIPTS =
  "Arabic Armenian Bengali Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Hebrew Kannada Khmer Lao " +
  "Latin Malayalam Myanmar Oriya Sinhala Tamil Telugu Thaana Thai Tibetan";
const SCRIPT_COMBINATIONS = ["Latin Han Hiragana Katakana", "Latin Han Bopomofo", "Latin Han Hangul"];
const UNMIXED_LABEL = new RegExp(
  [...SCRIPTS.split(" "), ...SCRIPT_COMBINATIONS]
    .map((scripts) => `^[${`Common Inherited ${scripts}`.replace(/\w+/g, "\\p{Script=$&}").replaceAll(" ", "")}]*$`)
    .join("|"),
  "u",
);
/** Without the punctuation that is valid in labels (RFC 5892, appendix A). */
const SYMBOL = /[^\0-\x7f\p{L}\p{M}\p{N}\u00b7\u0375\u05f3\u05f4\u30fb]/u;
const IGNORABLE = /[\u00ad\u034f\u180b-\u180f\u200c\u200d\ufe00-\ufe0f]/;
const LATIN_LOOKALIKES = /[\u0131\u0237\u0250-\u02af\u1d00-\u1dbf\ua720-\ua7ff\uab30-\uab6f]/;
/** Cyrillic, Greek, Armenian, Georgian, Hebrew and Ethiopic letters in the shape of ASCII letters. */
const LOOKALIKES =
  "\u0430\u0441\u0501\u0435\u04bb\u0456\u0458\u04cf\u043e\u0440\u0517\u051b\u0455\u051d\u0445\u0443\u044a\u044c\u04bd\u043f\u0433\u0475\u0461" +
  "\u03b1\u03b9\u03ba\u03bd\u03c1\u03c5\u03c9\u03b7\u03bf\u03c4\u0561\u0563\u0566\u0567\u056c\u0570\u0575\u0578\u057d\u0582\u0585" +
  "\u10d8\u10dd\u10e7\u10eb\u10ee\u10fd\u10ff\u05d3\u05d5\u05d7\u05d9\u05df\u05e1" +
  "\u1200\u1220\u1230\u1235\u1260\u1290\u1270\u12c8\u12d0\u12d8\u1320\u1350";
const LOOKALIKE_LABEL = new RegExp(`^[-0-9${LOOKALIKES}]+$`);

/**
 * Return the real host, in ASCII form and without port, of an address whose text suggests another host; `?` if this host is
 * invalid. Empty for every other address.
 * @param {string} address Displayed text of a link.
 */
export function disguisedHost(address) {
  const authority = address.match(/^(?:[a-z]+:(?:\/\/)?)?([^/?#]*)/i)?.[1] ?? "";
  const at = authority.lastIndexOf("@");
  const host = authority.slice(at + 1).replace(/:[0-9]*$/, "").toLowerCase();
  const hasUser = at > 0 && !/^mailto:/i.test(address);
  if (!hasUser && !isDeceptive(host)) return "";
  try {
    return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, "");
  } catch {
    return "?"; // invalid host
  }
}

/** @param {string} host */
function isDeceptive(host) {
  if (ASCII.test(host)) return host.includes("%");
  const labels = host.split(".");
  return (
    host.normalize("NFKC") !== host ||
    IGNORABLE.test(host) ||
    LATIN_LOOKALIKES.test(host) ||
    SYMBOL.test(host) ||
    labels.some((label) => !UNMIXED_LABEL.test(label)) ||
    (ASCII.test(labels[labels.length - 1]) && labels.some((label) => !ASCII.test(label) && LOOKALIKE_LABEL.test(label)))
  );
}
