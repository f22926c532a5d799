/** Global keyboard shortcuts. */

import { mutedRooms } from "../state/storage.js";
import { isScrollKey } from "./message_toolbar.js";

/**
 * Add the listener of the shortcuts. Open dialogs and popovers, compositions, handled keys and keys that scroll a
 * long message are ignored.
 * @param {object} context
 * @param {() => import("../state/chat_session.js").ChatSession | null} context.getSession Null while no room is visible.
 * @param {(room: import("../state/room.js").Room) => void} context.showRoom
 * @param {(name: string) => void} context.openRoom
 * @param {import("./composer.js").Composer} context.composer
 * @param {import("./timeline.js").Timeline} context.timeline
 * @param {import("./side_panels.js").SidePanels} context.panels
 * @param {() => void} context.openRoomDialog
 * @param {() => void} context.openHelp
 */
export function installShortcuts(context) {
  document.addEventListener("keydown", (event) => {
    const session = context.getSession();
    if (!session || event.isComposing || event.defaultPrevented || isScrollKey(event) || document.querySelector("dialog[open], :popover-open")) return;
    const action = shortcutFor(event, session, context);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** Return the action of a key; null without one. A printable key outside of text fields moves the focus to the composer. */
function shortcutFor(event, session, context) {
  const { composer, timeline, panels, openRoomDialog, openHelp } = context;
  const { key, ctrlKey, metaKey, altKey, shiftKey, target } = event;
  const isInTextField = target.closest?.("input, textarea");
  const hasCommandKey = (ctrlKey || metaKey) && !altKey;
  const letter = key.toLowerCase();
  if (key === "F1") return openHelp;
  if (hasCommandKey && !shiftKey && letter === "k") return openRoomDialog;
  if (hasCommandKey && shiftKey && letter === "f") return () => panels.setOpen("search", true);
  if (altKey) {
    if (ctrlKey || metaKey || event.getModifierState("AltGraph")) return null;
    // In a text field, Option on macOS types characters: `key` is that character or "Dead".
    const altKeyName = isInTextField || !event.code.startsWith("Key") ? letter : event.code.slice(3).toLowerCase();
    return altKeyName === "u" ? () => timeline.jumpToFirstUnread() : roomShortcutFor(altKeyName, session, context);
  }
  if (hasCommandKey) return null;
  const isInComposer = target.id === "composer-input";
  if (key === "Escape") return () => panels.closePanel() || composer.cancelContext() || scrollToNewest(timeline, composer);
  if ((key === "PageUp" || key === "PageDown") && (!isInTextField || (isInComposer && !composer.text))) {
    return () => timeline.scrollByPages(key === "PageUp" ? -1 : 1);
  }
  if (!isInTextField && key === "?") return openHelp;
  if (!isInTextField && key.length === 1 && key !== " " && !target.closest?.("button, a")) {
    composer.focus(); // the browser then types the character there
  }
  return null;
}

function scrollToNewest(timeline, composer) {
  timeline.scrollToNewest();
  composer.focus();
}

/**
 * Return the action that shows the room of Alt+Arrow, or for Alt+A the next room with mentions, then the next unread room
 * that is not muted; closed rooms follow the open ones. Null for other keys, and without such a room.
 */
function roomShortcutFor(key, { rooms, closedRooms, current }, { showRoom, openRoom }) {
  const currentIndex = rooms.indexOf(current);
  const step = { arrowup: -1, arrowdown: 1 }[key];
  if (step) return () => showRoom(rooms[(currentIndex + step + rooms.length) % rooms.length]);
  if (key !== "a") return null;
  const otherRooms = [...rooms.slice(currentIndex + 1), ...rooms.slice(0, currentIndex)];
  const openCandidates = otherRooms.map((room) => {
    const { unreadCount: unread, mentionCount: mentions } = room.readTracker;
    return { name: room.name, unread, mentions, show: () => showRoom(room) };
  });
  const candidates = [...openCandidates, ...closedRooms.map((room) => ({ ...room, show: () => openRoom(room.name) }))];
  const next = candidates.find(({ mentions }) => mentions) ?? candidates.find(({ name, unread }) => unread && !mutedRooms.has(name));
  return next?.show ?? null;
}
