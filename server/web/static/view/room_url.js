/**
 * Room name in the URL fragment (`/#/tea`). Fragments are not sent to the server and appear in no log.
 */

/** Return the room name in the URL, or an empty string. */
export function roomFromUrl() {
  const fragment = location.hash.replace(/^#\/?/, "");
  try {
    return decodeURIComponent(fragment).trim();
  } catch {
    return fragment; // malformed escape sequence, for example a literal percent sign
  }
}

/**
 * Set the room name in the URL. Replace the history entry if `replace` is set or the URL has no fragment, otherwise
 * add one.
 */
export function setRoomUrl(room, { replace = false } = {}) {
  const hash = room ? `#/${encodeURIComponent(room)}` : "";
  if (location.hash === hash) return;
  const url = hash || location.pathname;
  if (replace || !location.hash) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
}
