/**
 * Puts the page together: the door, one visit to a room, and what is drawn of it.
 */

import { Composer } from "./composer.js";
import { Door, roomInAddress } from "./door.js";
import { Members } from "./members.js";
import { tab } from "./memory.js";
import { Session } from "./session.js";
import { Timeline } from "./timeline.js";
import { words } from "./words.js";

const BLANK_AT_MOST = 400; // ms that a reload may take before it shows the door
const SLOWEST_DRAW = 250; // ms, where the browser draws nothing because nobody looks
const COUNTED_AT_MOST = 1000; // unread messages

const chat = document.getElementById("chat");
const connection = document.getElementById("connection");
const banner = document.getElementById("banner");
const countdown = document.getElementById("countdown");

let session = null;
let asked = null; // the room and nickname that the session was asked for
let drawing = 0; // the timer of the next drawing, 0 while nothing is different
let read = 0; // the last seq that you have seen
let readBefore = false; // you were looking at the newest when it was last drawn
let unreadAfter = null;

const door = new Door({ onEnter: enter, onChange: stop });
const members = new Members();
const timeline = new Timeline({
  onRetry: (clientId) => session.retry(clientId),
  onDiscard: (clientId) => session.outbox.discard(clientId),
  onScroll: draw,
});
const composer = new Composer({
  onSay: (text) => {
    unreadAfter = null;
    session.say(text);
    timeline.toNewest();
  },
  onType: (text) => {
    keepDraft(text);
    session.typing(text !== "");
  },
});

function enter(room, nick) {
  door.busy = true;
  asked = { room, nick };
  session = new Session({ room, nick, onChange: draw, onGone: gone });
  read = 0;
  readBefore = false;
  unreadAfter = null;
}

function entered() {
  const { room } = session;
  door.hide();
  chat.hidden = false;
  timeline.open(session);
  read = session.log.last;
  readBefore = true;
  tab.put("here", { ...asked, address: room });
  history.replaceState(null, "", `#${encodeURIComponent(room)}`);
  composer.room = room;
  composer.text = tab.get("drafts", {})[room] ?? "";
  composer.focus();
}

function gone(refusal) {
  session = null;
  outside(words.errors[refusal.code] ?? words.errors.internal);
}

function leave() {
  stop();
  outside();
}

function stop() {
  session?.leave();
  session = null;
}

function outside(problem) {
  tab.drop("here");
  chat.hidden = true;
  document.title = words.title;
  door.show(problem);
}

function keepDraft(text) {
  const { [session.room]: _, ...others } = tab.get("drafts", {});
  tab.put("drafts", text ? { ...others, [session.room]: text } : others);
}

/** Draws soon; however often it is asked to, once. */
function draw() {
  if (drawing) return;
  // A page that nobody sees gets no frames, and still has a title to keep.
  drawing = setTimeout(drawNow, SLOWEST_DRAW);
  requestAnimationFrame(drawNow);
}

function drawNow() {
  if (!drawing) return;
  clearTimeout(drawing);
  drawing = 0;
  if (!session) return;
  if (!session.entered) {
    if (session.connection.name === "offline") door.problem = words.unreachable;
    return;
  }
  if (chat.hidden) entered();
  const { room, log } = session;
  const unread = countUnread();
  timeline.draw({ unread, unreadAfter });
  members.draw(session);
  text("room-name", room);
  text("room-topic", log.topic);
  document.getElementById("room-topic").title = log.topic;
  text("typing", session.typists().length ? words.typing(session.typists()) : "");
  drawConnection();
  document.title = unread ? `(${unread}) ${room}` : `${room} · ${words.title}`;
}

/** Moves the mark of what you have seen; sets the line above what you have not. */
function countUnread() {
  const { log, mine } = session;
  if (log.last !== null && log.last < read) read = 0; // the server began anew
  const looking = document.visibilityState === "visible" && timeline.following && session.upToDate;
  let count = 0;
  for (let index = log.items.length - 1; index >= 0 && count < COUNTED_AT_MOST; index -= 1) {
    const { kind, memberId, seq } = log.items[index];
    if (seq <= read) break;
    if (kind === "message" && !mine.has(memberId)) count += 1;
  }
  if (count && !(looking && readBefore)) unreadAfter = read;
  if (looking) {
    read = log.last ?? read;
    count = 0;
  }
  readBefore = looking;
  return count;
}

function drawConnection() {
  const { name } = session.connection;
  connection.dataset.state = name;
  text("connection-text", words[name]);
  banner.hidden = name === "online";
  drawCountdown();
}

function drawCountdown() {
  const { name, retryAt } = session?.connection ?? {};
  const seconds = name === "offline" ? Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)) : 0;
  countdown.textContent = seconds > 1 ? words.retryIn(seconds) : words.connecting;
}

function text(id, value) {
  const element = document.getElementById(id);
  if (element.textContent !== value) element.textContent = value;
}

/** Puts the page's own words where the document names them. */
function speak() {
  document.documentElement.lang = words.lang;
  document.title = words.title;
  const each = (what, put) => {
    for (const element of document.querySelectorAll(`[data-${what}]`)) put(element, words[element.dataset[what]]);
  };
  each("word", (element, word) => (element.textContent = word));
  each("title", (element, word) => (element.title = word));
  each("label", (element, word) => element.setAttribute("aria-label", word));
}

function pressed(event) {
  if (!session?.entered || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const focused = document.activeElement;
  const writing = focused?.id === "message-field";
  if (event.key === "Escape") {
    if (!members.closeDrawer()) timeline.toNewest();
  } else if ((event.key === "PageUp" || event.key === "PageDown") && (!writing || !composer.text)) {
    event.preventDefault();
    timeline.page(event.key === "PageUp" ? -1 : 1);
  } else if (event.key.length === 1 && event.key !== " " && !focused?.closest("button, a, input, textarea")) {
    composer.focus(); // the key then goes in
  }
}

speak();
document.getElementById("leave").addEventListener("click", leave);
document.getElementById("try-now").addEventListener("click", () => session?.hurry());
document.addEventListener("keydown", pressed);
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") session?.hurry();
  draw();
});
globalThis.addEventListener("online", () => session?.hurry());
globalThis.addEventListener("hashchange", () => {
  if (!session?.entered || roomInAddress() !== session.room) leave();
});
setInterval(drawCountdown, 500);

const here = tab.get("here");
if (here && (!roomInAddress() || roomInAddress() === here.address)) {
  enter(here.room, here.nick);
  setTimeout(() => {
    if (session && !session.entered) door.show("", true);
  }, BLANK_AT_MOST);
} else {
  door.show();
}
