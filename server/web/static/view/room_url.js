/**
 * Room name in the URL: in the fragment (`/#/tea`), which is not sent to the server and appears in no log, or in the
 * query (`/?room=tea`), for programs that remove fragments from links.
 */

/** Return the room name in the URL, or an empty string. */
export function roomFromUrl() {
  const fragment = location.hash.replace(/^#\/?/, "");
  if (!fragment) return new URLSearchParams(location.search).get("room")?.trim() ?? "";
  try {
    return decodeURIComponent(fragment).trim();
  } catch {
    return fragment; // malformed escape sequence, for example a literal percent sign
  }
}

/**
 * Set the room name in the URL and remove the query. Replace the history entry if `replace` is set or the URL has no
 * fragment, otherwise add one.
 */
export function setRoomUrl(room, { replace = false } = {}) {
  const hash = room ? `#/${encodeURIComponent(room)}` : "";
  if (location.hash === hash && !location.search) return;
  const url = location.pathname + hash;
  if (replace || !location.hash) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
}

/** Return the invite code in the URL, or an empty string. */
export function inviteFromUrl() {
  return new URLSearchParams(location.search).get("invite")?.trim() ?? "";
}

/** Return the address of this page that joins a room with an invite code. */
export function inviteUrl(room, code) {
  return new URL(`?invite=${encodeURIComponent(code)}#/${encodeURIComponent(room)}`, document.baseURI).href;
}
