/**
 * Room name in the URL: in the fragment (`/#/tea`), which is not sent to the server and appears in no log, or in the
 * query (`/?room=tea`), for programs that remove fragments from links. An invite code follows the room in the fragment
 * (`/#/~address?invite=code`).
 */

import { splitInvite } from "../state/links.js";

/** Return the room name in the URL; empty if absent. */
export function roomFromUrl() {
  return readRoomUrl(location).room;
}

/** Return the invite code in the URL; empty if absent. */
export function inviteFromUrl() {
  return readRoomUrl(location).invite;
}

/**
 * Return the room and the invite code in a URL of the page, both empty if absent.
 * @param {{hash: string, search: string}} url
 */
export function readRoomUrl({ hash, search }) {
  const { room, invite } = splitInvite(hash.replace(/^#\/?/, ""));
  return { room: room || (new URLSearchParams(search).get("room")?.trim() ?? ""), invite };
}

/**
 * Set the room name in the URL and remove the query. The history entry is replaced if `replace` is set, the URL has no
 * fragment, or the URL has an invite code; otherwise an entry is added.
 * @param {string} room Empty to remove the fragment.
 * @param {{invite?: string, replace?: boolean}} [options]
 */
export function setRoomUrl(room, { invite = "", replace = false } = {}) {
  const hash = formatFragment(room, invite);
  if (location.hash === hash && !location.search) return;
  const url = location.pathname + hash;
  if (replace || !location.hash || inviteFromUrl()) history.replaceState(null, "", url);
  else history.pushState(null, "", url);
}

/** Return the address of the page that joins a room with an invite code. */
export function inviteUrl(room, code) {
  return new URL(`./${formatFragment(room, code)}`, document.baseURI).href;
}

function formatFragment(room, invite) {
  if (!room) return "";
  return `#/${encodeURIComponent(room)}${invite && `?invite=${encodeURIComponent(invite)}`}`;
}
