/**
 * Return the comparison key of a room name or nickname: NFKC, lower case, single spaces.
 *
 * Approximates the server's rules in `tui_chat/protocol/names.py`; the server has the final decision.
 */
export function canonicalName(name) {
  return name.normalize("NFKC").toLowerCase().replace(/\s+/gu, " ").trim();
}
