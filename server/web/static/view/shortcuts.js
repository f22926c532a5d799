/**
 * The keys that work anywhere in the page; `help.js` has them for the reader.
 */

/**
 * @param {object} to
 * @param {() => import("../state/chat_session.js").Chat | null} to.chat Null while no room is shown.
 */
export function listenToKeys(to) {
  document.addEventListener("keydown", (event) => {
    const chat = to.chat();
    if (!chat || event.isComposing || event.defaultPrevented || document.querySelector("dialog[open], :popover-open")) return;
    const act = actionOf(event, chat, to);
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function actionOf(event, chat, { show, composer, timeline, panels, openJoin, openHelp }) {
  const { key, ctrlKey, metaKey, altKey, shiftKey, target } = event;
  const command = (ctrlKey || metaKey) && !altKey;
  const letter = key.toLowerCase();
  if (key === "F1") return openHelp;
  if (command && !shiftKey && letter === "k") return openJoin;
  if (command && shiftKey && letter === "f") return () => panels.show("search", true);
  if (altKey && !command) {
    const room = roomFor(event, chat);
    if (room) return () => show(room);
    if (event.code === "KeyU") return () => timeline.toFirstUnread();
    return null;
  }
  if (command || altKey) return null;
  const writing = target.closest?.("input, textarea");
  const inComposer = target.id === "message-field";
  if (key === "Escape") return () => panels.closeDrawer() || composer.stop() || toNewest(timeline, composer);
  if ((key === "PageUp" || key === "PageDown") && (!writing || (inComposer && !composer.text))) {
    return () => timeline.page(key === "PageUp" ? -1 : 1);
  }
  if (!writing && key === "?") return openHelp;
  if (!writing && key.length === 1 && key !== " " && !target.closest?.("button, a")) {
    composer.focus(); // the key then goes in
  }
  return null;
}

function toNewest(timeline, composer) {
  timeline.toNewest();
  composer.focus();
}

/** The room that Alt and this key lead to. */
function roomFor({ key, code }, { rooms, current }) {
  const here = rooms.indexOf(current);
  const step = { ArrowUp: -1, ArrowDown: 1 }[key];
  if (step) return rooms[(here + step + rooms.length) % rooms.length];
  if (code !== "KeyA") return null;
  const around = [...rooms.slice(here + 1), ...rooms.slice(0, here)];
  return around.find(({ reading }) => reading.named) ?? around.find(({ reading }) => reading.unread) ?? null;
}
