/**
 * The keys that work anywhere in the page; `help.js` has them for the reader.
 */

/**
 * @param {object} to
 * @param {() => import("../state/chat_session.js").Chat | null} to.chat Null while no room is shown.
 */
export function installShortcuts(context) {
  document.addEventListener("keydown", (event) => {
    const session = context.session();
    if (!session || event.isComposing || event.defaultPrevented || document.querySelector("dialog[open], :popover-open")) return;
    const action = shortcutFor(event, session, context);
    if (!action) return;
    event.preventDefault();
    action();
  });
}

function shortcutFor(event, session, { showRoom, composer, timeline, panels, openRoomDialog, openHelp }) {
  const { key, ctrlKey, metaKey, altKey, shiftKey, target } = event;
  const hasCommandKey = (ctrlKey || metaKey) && !altKey;
  const letter = key.toLowerCase();
  if (key === "F1") return openHelp;
  if (hasCommandKey && !shiftKey && letter === "k") return openRoomDialog;
  if (hasCommandKey && shiftKey && letter === "f") return () => panels.setOpen("search", true);
  if (altKey && !hasCommandKey) {
    const room = roomForKey(event, session);
    if (room) return () => showRoom(room);
    if (event.code === "KeyU") return () => timeline.jumpToFirstUnread();
    return null;
  }
  if (hasCommandKey || altKey) return null;
  const isInTextField = target.closest?.("input, textarea");
  const isInComposer = target.id === "composer-input";
  if (key === "Escape") return () => panels.closeDrawer() || composer.cancelContext() || scrollToNewest(timeline, composer);
  if ((key === "PageUp" || key === "PageDown") && (!isInTextField || (isInComposer && !composer.text))) {
    return () => timeline.scrollByPages(key === "PageUp" ? -1 : 1);
  }
  if (!isInTextField && key === "?") return openHelp;
  if (!isInTextField && key.length === 1 && key !== " " && !target.closest?.("button, a")) {
    composer.focus(); // the key then goes in
  }
  return null;
}

function scrollToNewest(timeline, composer) {
  timeline.scrollToNewest();
  composer.focus();
}

/** The room that Alt and this key lead to. */
function roomForKey({ key, code }, { rooms, current }) {
  const currentIndex = rooms.indexOf(current);
  const step = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (step) return rooms[(currentIndex + step + rooms.length) % rooms.length];
  if (code !== "KeyA") return null;
  const searchOrder = [...rooms.slice(currentIndex + 1), ...rooms.slice(0, currentIndex)];
  return searchOrder.find(({ readTracker }) => readTracker.mentions) ?? searchOrder.find(({ readTracker }) => readTracker.unread) ?? null;
}
