/**
 * The room in the address: `/#/tea`. A fragment never reaches a server or its log.
 */

/** The room that the address names, or an empty string. */
export function roomFromUrl() {
  const fragment = location.hash.replace(/^#\/?/, "");
  try {
    return decodeURIComponent(fragment).trim();
  } catch {
    return fragment; // a stray percent sign is part of the name
  }
}

/** Puts a room into the address; a new step of the browser's history unless it is there already. */
export function setRoomUrl(room, { replace = false } = {}) {
  const hash = room ? `#/${encodeURIComponent(room)}` : "";
  if (location.hash === hash) return;
  const url = hash || location.pathname;
  if (replace || !location.hash) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
}
