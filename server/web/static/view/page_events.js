/** Events of the page as a whole: visibility, focus, input, network, address, and changes by other tabs. */

import { ACCOUNT_KEY } from "../state/account.js";
import { LAST_INPUT_KEY } from "../state/auto_away.js";
import { JsonStorage } from "../state/storage.js";
import { roomFromUrl } from "./room_url.js";

const IDLE_CHECK_INTERVAL = 10_000; // ms

/**
 * Add the listeners. A hidden or closed page queues its delayed deletions, a closed page saves its read markers, and a
 * visible page or a returned network reconnects. Input, and a check every `IDLE_CHECK_INTERVAL`, update the automatic status.
 * @param {object} context
 * @param {() => import("../state/chat_session.js").ChatSession | null} context.getSession Null while the join form is visible.
 * @param {import("../state/auto_away.js").AutoAway} context.autoAway
 * @param {import("../state/delayed_deletions.js").DelayedDeletions} context.delayedDeletions
 * @param {() => void} context.onChange Called after a change of visibility or focus.
 * @param {() => void} context.onAccountChange Called after a login or logout in another tab, if a session exists.
 * @param {(name: string) => void} context.onRoomUrl Called with the room of a changed URL, possibly empty.
 */
export function installPageEvents({ getSession, autoAway, delayedDeletions, onChange, onAccountChange, onRoomUrl }) {
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
    if (name === LAST_INPUT_KEY) autoAway.check();
    else if (name === ACCOUNT_KEY && session) onAccountChange();
    else session?.onStorageChange(name);
  });
  globalThis.addEventListener("hashchange", () => onRoomUrl(roomFromUrl()));
  for (const event of ["keydown", "pointerdown", "pointermove", "wheel"]) {
    globalThis.addEventListener(event, () => autoAway.recordInput(), { capture: true, passive: true });
  }
  setInterval(() => autoAway.check(), IDLE_CHECK_INTERVAL);
}
