/** Events of the page as a whole: visibility, focus, network, address, and changes by other tabs. */

import { ACCOUNT_KEY } from "../state/account.js";
import { JsonStorage } from "../state/storage.js";
import { roomFromUrl } from "./room_url.js";

/**
 * Add the listeners. A hidden or closed page queues its delayed deletions, a closed page saves its read markers, and a
 * visible page or a returned network reconnects.
 * @param {object} context
 * @param {() => import("../state/chat_session.js").ChatSession | null} context.getSession Null while the join form is visible.
 * @param {import("../state/delayed_deletions.js").DelayedDeletions} context.delayedDeletions
 * @param {() => void} context.onChange Called after a change of visibility or focus.
 * @param {() => void} context.onAccountChange Called after a login or logout in another tab, if a session exists.
 * @param {(name: string) => void} context.onRoomUrl Called with the room of a changed URL, possibly empty.
 */
export function installPageEvents({ getSession, delayedDeletions, onChange, onAccountChange, onRoomUrl }) {
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") getSession()?.reconnectNow();
    else delayedDeletions.flush();
    onChange();
  });
  for (const event of ["focus", "blur"]) globalThis.addEventListener(event, onChange);
  globalThis.addEventListener("pagehide", () => {
    delayedDeletions.flush();
    getSession()?.saveReadMarkers();
  });
  globalThis.addEventListener("online", () => getSession()?.reconnectNow());
  globalThis.addEventListener("storage", ({ key }) => {
    const name = JsonStorage.keyOf(key);
    const session = getSession();
    if (name === ACCOUNT_KEY && session) onAccountChange();
    else session?.onStorageChange(name);
  });
  globalThis.addEventListener("hashchange", () => onRoomUrl(roomFromUrl()));
}
