/**
 * Puts the page together: the door, the rooms you are in, and what is drawn of them.
 */

import { speak, words } from "./i18n/strings.js";
import { Chat } from "./state/chat_session.js";
import { meaningOf } from "./state/command_parser.js";
import { Drafts, Shelf, tab } from "./state/storage.js";
import { Composer } from "./view/composer.js";
import { Asking } from "./view/confirm_dialog.js";
import { say } from "./view/dom.js";
import { Palette } from "./view/emoji_picker.js";
import { Help } from "./view/help_dialog.js";
import { Door } from "./view/join_form.js";
import { UnreadAbove } from "./view/jump_to_unread.js";
import { Picker } from "./view/message_toolbar.js";
import { Notifier } from "./view/notifier.js";
import { inOneLine } from "./view/render_line.js";
import { Frames } from "./view/render_scheduler.js";
import { Join } from "./view/room_dialog.js";
import { putInAddress, roomInAddress } from "./view/room_url.js";
import { carryOut } from "./view/run_command.js";
import { Search } from "./view/search_panel.js";
import { Settings } from "./view/settings_dialog.js";
import { listenToKeys } from "./view/shortcuts.js";
import { Panels } from "./view/side_panels.js";
import { Members, RoomList } from "./view/sidebar.js";
import { ConnectionLine, toast } from "./view/status.js";
import { Timeline } from "./view/timeline.js";

const WITH_KEYBOARD = globalThis.matchMedia("(hover: hover)");
const BLANK_AT_MOST = 400; // ms that a reload may take before it shows the door

const page = document.getElementById("chat");
const frames = new Frames(draw);
const drafts = new Drafts(tab);
let chat = null;
let inside = false; // a room is shown
let shownName = "";
let knownNick = "";

const door = new Door({ onEnter: enter, onChange: stop, onLanguage: speakAnew });
const asking = new Asking();
const help = new Help();
const join = new Join(go);
const palette = new Palette();
const notifier = new Notifier((room) => chat?.rooms.includes(room) && show(room));
const members = new Members();
const connectionLine = new ConnectionLine(() => chat);
const search = new Search({ chat: () => chat, onReach: reach });
const settings = new Settings({ chat: () => chat, notifier, onLanguage: speakAnew });
const rooms = new RoomList({ onShow: show, onClose: close });
const panels = new Panels((name) => name === "search" && search.open());
const timeline = new Timeline({
  acts: {
    onRetry: (clientId) => chat.current.retry(clientId),
    onDiscard: (clientId) => chat.current.outbox.discard(clientId),
    onRewrite: (clientId) => composer.rewrite(chat.current.outbox.discard(clientId)),
    onReact: (seq, emoji, on) => chat.current.post("react", { seq, emoji, on }),
    onUnreachable: () => toast(words.goneAway),
  },
  onScroll: () => frames.ask(),
  onReplace: (old, row) => picker.replaced(old, row),
});
const unreadAbove = new UnreadAbove(() => timeline.toFirstUnread());
const picker = new Picker({
  acts: {
    reply: ({ seq }) => composer.reply(seq),
    edit,
    remove: askToRemove,
    copy: ({ message }) => copy(message),
    react: ({ seq, reactions = {} }, row) =>
      palette.open(row, (emoji) => {
        const on = !reactions[emoji]?.includes(chat.current.memberId);
        chat.current.post("react", { seq, emoji, on });
      }),
  },
  itemOf(seq) {
    const item = chat?.current?.log.item(seq);
    return item?.kind === "message" ? { item, own: chat.current.mine.has(item.memberId) } : null;
  },
  onLeave: () => composer.focus(),
});
const composer = new Composer({
  ask: (question) => asking.ask(question),
  onSay: (draft) => said(draft),
  onDraft(draft) {
    if (!chat) return; // what was written led out of the last room
    drafts.keep(chat.current.asked, draft);
    const saying = draft.text !== "" && !draft.editing && meaningOf(draft.text).say !== undefined;
    chat.current.typists.typing(saying);
    frames.ask();
  },
  onUp() {
    const { log, mine } = chat.current;
    const last = log.items.findLast(({ kind, deleted, memberId }) => kind === "message" && !deleted && mine.has(memberId));
    if (last) edit(last);
  },
});

function enter(room, nick, others = []) {
  door.busy = true;
  chat = new Chat({
    nick,
    onChange: () => frames.ask(),
    onRefused: refused,
    onUnkept: () => toast(words.notKept, { once: true }),
  });
  chat.current = chat.open(room);
  for (const other of [...others, ...chat.unsentRooms]) chat.open(other);
}

function refused(room, { code }) {
  const problem = words.errors[code] ?? words.errors.internal;
  const [other] = chat.rooms;
  if (!other) return outside(problem);
  toast(`${room.name}: ${problem}`);
  if (inside && !chat.current) show(other, { replace: true });
  else chat.current ??= other;
  return undefined;
}

/** Shows a room, and says so in the address. */
function show(room, { replace = false } = {}) {
  chat.current = room;
  timeline.show(room);
  composer.show(room.name, drafts.of(room.asked));
  search.roomChanged();
  panels.roomChosen();
  shownName = room.name;
  putInAddress(room.name, { replace });
  remember();
  frames.ask();
  // On a phone the focus would bring up the keyboard, over what is to be read.
  if (!panels.isOpen("search") && WITH_KEYBOARD.matches) composer.focus();
}

/** Goes into a room that one is in already, or joins it. */
function go(name) {
  show(chat.open(name));
}

/** Shows what was found in a room. */
async function reach(name, seq) {
  panels.roomChosen();
  if (!chat.current?.is(name)) go(name);
  await chat.current.whenEntered();
  if (!(await timeline.reach(seq))) toast(words.goneAway);
}

function close(room) {
  const place = chat.rooms.indexOf(room);
  const shown = room === chat.current;
  drafts.keep(room.asked, { text: "" });
  chat.close(room);
  const next = chat.rooms[place] ?? chat.rooms[place - 1];
  if (!next) outside();
  else if (shown) show(next, { replace: true });
  remember();
}

function stop() {
  chat?.stop();
  chat = null;
  inside = false;
}

function outside(problem) {
  stop();
  tab.drop("here");
  page.hidden = true;
  notifier.badge({ title: words.title, unread: 0, named: 0 });
  door.show(problem);
}

function remember() {
  knownNick = chat?.nick;
  if (chat) tab.put("here", { nick: chat.nick, room: chat.current?.asked, rooms: chat.rooms.map(({ asked }) => asked) });
}

function said({ text, replyTo, editing }) {
  const room = chat.current;
  if (editing) {
    if (room.log.item(editing)?.message !== text) room.post("editMessage", { seq: editing, message: text });
    return true;
  }
  return carryOut(text, {
    say(message) {
      room.post("sendMessage", replyTo ? { message, replyTo } : { message });
      timeline.toNewest();
    },
    room,
    chat,
    hint: (problem) => composer.hint(problem),
    go(name) {
      drafts.keep(room.asked, { text: "" });
      go(name);
    },
    leave: () => close(room),
    openJoin: () => join.open(chat),
    openSettings: () => settings.open(room.nick),
    openHelp: () => help.open(),
    openSearch(query) {
      panels.show("search", true);
      search.open(query);
    },
  });
}

/** Begins to change a message of yours, from what you have made of it already. */
function edit({ seq, message }) {
  const posts = chat.current.outbox.changes.get(seq) ?? [];
  composer.edit(seq, posts.findLast(({ event }) => event === "editMessage")?.body.message ?? message);
}

async function askToRemove(item) {
  const choices = [{ value: "remove", label: words.remove, kind: "danger" }];
  const room = chat.current;
  const choice = await asking.ask({ title: words.deleteAsk, text: `${inOneLine(item)}\n\n${words.deleteExplain}`, choices });
  if (choice) room.post("deleteMessage", { seq: item.seq });
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast(words.copied);
  } catch {
    toast(words.notCopied);
  }
}

function draw() {
  if (!chat) return;
  const { current } = chat;
  if (!inside) {
    if (chat.connection.name === "offline") door.problem = words.unreachable;
    if (!current?.entered) return;
    inside = true;
    door.hide();
    page.hidden = false;
    show(current, { replace: true });
  }
  const attentive = document.visibilityState === "visible" && document.hasFocus();
  let unread = 0;
  let named = 0;
  for (const room of chat.rooms) {
    const looking = attentive && room === current && timeline.following && room.upToDate;
    const messages = room.reading.update({ ...room, looking });
    if (!attentive) notifier.named(room, messages);
    unread += room.reading.unread;
    named += room.reading.named;
  }
  if (chat.nick !== knownNick) remember();
  drawRoom(current);
  rooms.draw(chat);
  connectionLine.draw();
  notifier.badge({ title: unread ? `(${unread}) ${current.name}` : `${current.name} · ${words.title}`, unread, named });
}

function drawRoom(room) {
  const { log, reading, name } = room;
  if (name !== shownName) {
    shownName = name;
    putInAddress(name, { replace: true });
    composer.show(name, composer.draft);
  }
  timeline.draw({ unread: reading.unread, unreadAfter: reading.unreadAfter });
  unreadAbove.draw(room);
  members.draw(room);
  say(document.getElementById("room-name"), name);
  const topic = document.getElementById("room-topic");
  say(topic, log.topic);
  topic.title = log.topic;
  const typing = room.typists.names(room.members);
  say(document.getElementById("typing"), typing.length ? words.typing(typing) : "");
  composer.tell(about(room));
}

/** What the text that is being written is for. */
function about({ log }) {
  const { replyTo, editing } = composer.draft;
  const item = log.item(editing ?? replyTo);
  if (editing) return { what: words.editing, text: item ? inOneLine(item) : "", stop: words.stopEdit };
  if (!replyTo) return null;
  return { what: words.replyingTo(item?.nickName ?? words.earlier), text: item ? inOneLine(item) : "", stop: words.stopReply };
}

/** Speaks another language from now on. */
function speakAnew() {
  speak();
  for (const part of [timeline, picker, members, rooms]) part.anew();
  shownName = "";
  frames.ask();
}

speak();
listenToKeys({
  chat: () => (inside ? chat : null),
  show,
  composer,
  timeline,
  panels,
  openJoin: () => join.open(chat),
  openHelp: () => help.open(),
});
document.getElementById("join-open").addEventListener("click", () => join.open(chat));
document.getElementById("settings-open").addEventListener("click", () => settings.open(chat.current.nick));
document.getElementById("help-open").addEventListener("click", () => help.open());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") chat?.hurry();
  frames.ask();
});
for (const event of ["focus", "blur"]) globalThis.addEventListener(event, () => frames.ask());
globalThis.addEventListener("pagehide", () => chat?.keepReads());
globalThis.addEventListener("online", () => chat?.hurry());
globalThis.addEventListener("storage", ({ key }) => chat?.stored(Shelf.named(key)));
globalThis.addEventListener("hashchange", () => {
  const name = roomInAddress();
  if (inside && name && !chat.current?.is(name)) go(name);
  else if (!chat) door.show();
});

const here = tab.get("here");
const wanted = roomInAddress();
if (here?.room) {
  const known = !wanted || here.rooms.includes(wanted);
  enter(wanted || here.room, here.nick, here.rooms);
  setTimeout(() => {
    if (chat && !inside) door.show("", true);
  }, known ? BLANK_AT_MOST : 0);
} else {
  door.show();
}
