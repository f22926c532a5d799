/** Bans and silences of a room, computed from its audit. */

import { HISTORY_PAGE } from "./limits.js";
import { sanitizeReceived } from "./sanitize.js";

const MAX_PAGES = 50; // 10,000 actions
/** Start and end of each kind of sanction, as actions of `member` entries. */
const ENDS = { banned: "unbanned", muted: "unmuted" };

/**
 * Return the sanctions of a room that have not ended, newest first, by the newest `MAX_PAGES` pages of the audit.
 * @param {import("./room.js").Room} room
 * @param {number} now ms since the epoch
 * @returns {Promise<any[]>} The `member` entries of the sanctions.
 * @throws {RequestError}
 */
export async function loadSanctions(room, now) {
  const entries = [];
  let before;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { messages, hasMore } = await room.request("audit", { limit: HISTORY_PAGE, ...(before && { before }) });
    entries.unshift(...messages.map(sanitizeReceived));
    before = messages[0]?.seq;
    if (!hasMore || !before) break;
  }
  return activeSanctions(entries, now);
}

/**
 * Return the last start of each sanction that was not ended and has not expired, newest first.
 * @param {any[]} entries Entries of an audit, ascending.
 * @param {number} now ms since the epoch
 */
export function activeSanctions(entries, now) {
  const active = new Map();
  for (const entry of entries.filter(({ kind }) => kind === "member")) {
    for (const [start, end] of Object.entries(ENDS)) {
      const key = `${start} ${entry.target.memberId}`;
      if (entry.action === start || entry.action === end) active.delete(key);
      if (entry.action === start) active.set(key, entry);
    }
  }
  return [...active.values()].filter(({ until = Infinity }) => until > now).reverse();
}
