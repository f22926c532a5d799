/**
 * Entry point: wires session state to the views.
 *
 * - Owns the one `ChatSession` and tracks whether the join form or a room is visible.
 * - All state changes go through `scheduler`, so a frame renders at most once.
 */

import { applyStrings, errorText, strings } from "./i18n/strings.js";
import { requireRequestError } from "./net/request_error.js";
import { ACCOUNT_KEY, storedAccount } from "./state/account.js";
import { ChatSession } from "./state/chat_session.js";
import { parseInput } from "./state/command_parser.js";
import { DelayedDeletions } from "./state/delayed_deletions.js";
import { quoteName } from "./state/names.js";
import { isModerator } from "./state/roles.js";
import { JsonStorage, drafts, sessionStore } from "./state/storage.js";
import { AccountDialog } from "./view/account_dialog.js";
import { AwayBanner } from "./view/away_banner.js";
import { writeClipboard } from "./view/clipboard.js";
import { CommandRejected } from "./view/command_context.js";
import { Composer } from "./view/composer.js";
import { ComposerCompletion } from "./view/composer_completion.js";
import { ConfirmDialog } from "./view/confirm_dialog.js";
import { requireElement, setText } from "./view/dom.js";
import { EmojiPicker } from "./view/emoji_picker.js";
import { HelpDialog } from "./view/help_dialog.js";
import { JoinForm } from "./view/join_form.js";
import { JumpToUnread } from "./view/jump_to_unread.js";
import { PagedListDialog } from "./view/list_dialog.js";
import { auditView, blocksView, invitesView, mentionsView, sanctionsView } from "./view/list_views.js";
import { MemberDialog } from "./view/member_dialog.js";
import { MemberPanel } from "./view/member_panel.js";
import { MessageActions } from "./view/message_actions.js";
import { MessageToolbar } from "./view/message_toolbar.js";
import { Notifier } from "./view/notifier.js";
import { excerpt } from "./view/render_line.js";
import { RenderScheduler } from "./view/render_scheduler.js";
import { RoomDialog } from "./view/room_dialog.js";
import { installRoomLinks } from "./view/room_links.js";
import { RoomList } from "./view/room_list.js";
import { RoomSettingsDialog } from "./view/room_settings_dialog.js";
import { inviteFromUrl, roomFromUrl, setRoomUrl } from "./view/room_url.js";
import { runCommand } from "./view/run_command.js";
import { SearchPanel } from "./view/search_panel.js";
import { SettingsDialog } from "./view/settings_dialog.js";
import { installShortcuts } from "./view/shortcuts.js";
import { SidePanels } from "./view/side_panels.js";
import { ConnectionStatus, showToast } from "./view/status.js";
import { Timeline } from "./view/timeline.js";

const HOVER_QUERY = globalThis.matchMedia("(hover: hover)");
const JOIN_FORM_DELAY = 400; // ms; after a reload the join form stays hidden for this long

const chatElement = requireElement("chat");
const scheduler = new RenderScheduler(render);
let session = null;
let roomVisible = false;
let renderedName = "";
let wasOffline = false;
let savedSession = "";

const joinForm = new JoinForm({ onSubmit: (room, nick) => startSession({ room, nick }), onChange: stopSession, onLanguageChange: changeLanguage });
const confirmDialog = new ConfirmDialog();
const accountDialog = new AccountDialog({
  onChange: onAccountChange,
  confirm: (question) => confirmDialog.confirm(question),
  getNick: () => session?.current?.nick ?? joinForm.nick,
});
const helpDialog = new HelpDialog();
const roomDialog = new RoomDialog(openRoom);
const emojiPicker = new EmojiPicker();
const delayedDeletions = new DelayedDeletions(() => scheduler.schedule());
const notifier = new Notifier((room) => session?.rooms.includes(room) && showRoom(room));
const listDialog = new PagedListDialog();
const memberDialog = new MemberDialog({
  confirm: (question) => confirmDialog.confirm(question),
  getBlocks: () => (session.hasAccount ? session.blocks : null),
  async openDirect(member) {
    openRoom(await session.openDirect([member]));
  },
});
const memberPanel = new MemberPanel({
  onChange: () => scheduler.schedule(),
  onOpen: (member, room) => memberDialog.open(member, room),
});
const roomSettingsDialog = new RoomSettingsDialog({
  async createRoom(fields) {
    openRoom(await session.createRoom(fields));
  },
  confirm: (question) => confirmDialog.confirm(question),
  onClosed: leaveRoom,
  copyText,
  openInvites: (room) => listDialog.open(invitesView(room)),
  openSanctions: (room) => listDialog.open(sanctionsView(room)),
  openAudit: (room) => listDialog.open(auditView(room)),
});
const completion = new ComposerCompletion(() => session?.current);
const awayBanner = new AwayBanner(() => session);
const connectionStatus = new ConnectionStatus(() => session);
const searchPanel = new SearchPanel({ getSession: () => session, onOpenResult: openSearchResult });
const settingsDialog = new SettingsDialog({
  getSession: () => session,
  notifier,
  onLanguageChange: changeLanguage,
  onJoinVisibilityChange(visibility) {
    timeline.setJoinVisibility(visibility);
    scheduler.schedule();
  },
});
const roomList = new RoomList({ onSelect: showRoom, onLeave: leaveRoom });
const panels = new SidePanels((name) => name === "search" && searchPanel.open());
const timeline = new Timeline({
  actions: {
    onRetry: (clientId) => session.current.retry(clientId),
    onDiscard: (clientId) => session.current.outbox.discard(clientId),
    onEditAgain: (clientId) => composer.restoreItem(session.current.outbox.discard(clientId)),
    onReact: (seq, emoji, on) => session.current.enqueue("react", { seq, emoji, on }),
    onUndoDelete: (seq) => delayedDeletions.undo(session.current, seq),
    onUnavailable: () => showToast(strings.messageUnavailable),
  },
  isDeleting: (room, seq) => delayedDeletions.has(room, seq),
  onFollowChange: () => scheduler.schedule(),
  onRowReplaced: (previous, row) => messageToolbar.onRowReplaced(previous, row),
});
const jumpToUnread = new JumpToUnread(() => timeline.jumpToFirstUnread());
const messageToolbar = new MessageToolbar({
  actions: {
    reply: ({ seq }) => composer.startReply(seq),
    edit: (item) => messageActions.edit(item),
    delete: (item) => messageActions.delete(item),
    copy: ({ message }) => copyText(message),
    markUnread: (item) => messageActions.markUnread(item),
    react: ({ seq, reactions = {} }, row) =>
      emojiPicker.open(row, {
        onSelect: (emoji) => session.current.enqueue("react", { seq, emoji, on: !reactions[emoji]?.own }),
        onFocusLost: () => timeline.focusMessage(seq),
      }),
  },
  getMessage: (seq) => (session ? messageActions.describe(seq) : null),
  onExit: () => composer.focus(),
});
const composer = new Composer({
  confirm: (options) => confirmDialog.confirm(options),
  onSubmit: (draft) => submitDraft(draft),
  onDraftChange(draft) {
    if (!session) return; // the draft closed the last room
    drafts.save(session.current.requestedName, draft);
    const input = parseInput(draft.text);
    const isTyping = draft.text !== "" && !draft.editing && ("text" in input || input.command === "me");
    session.current.typingIndicator.setTyping(isTyping);
    scheduler.schedule();
  },
  onEditLast: () => runSafely(() => messageActions.editLast("")),
});
const messageActions = new MessageActions({
  getRoom: () => session?.current,
  composer,
  timeline,
  delayedDeletions,
  confirm: (question) => confirmDialog.confirm(question),
});

function startSession({ room, nick, rooms = [], away = null }) {
  joinForm.isBusy = true;
  session = new ChatSession({
    nick,
    away,
    onChange: () => scheduler.schedule(),
    onJoinFailed,
    onStorageFailed: () => showToast(strings.storageUnavailable, { once: true }),
    onLoggedOut,
  });
  session.current = session.openRoom(room, inviteFromUrl());
  for (const otherRoom of [...rooms, ...session.roomsWithUnsent]) session.openRoom(otherRoom);
}

/** Reconnect with the new account or as a guest, and keep the open rooms. */
function onAccountChange() {
  const account = storedAccount();
  const rooms = session?.rooms.map(({ requestedName }) => requestedName) ?? [];
  const current = session?.current?.requestedName ?? rooms[0];
  const nick = account?.nickName ?? session?.nick;
  showToast(account ? strings.loggedInAs(account.account) : strings.loggedOut);
  if (!current || !nick) return showJoinForm();
  stopSession();
  startSession({ room: current, nick, rooms });
  return undefined;
}

function onLoggedOut() {
  if (accountDialog.isLeaving) return;
  showJoinForm();
  joinForm.error = strings.loginExpired;
}

function onJoinFailed(room, failure) {
  const [otherRoom] = session.rooms;
  if (!otherRoom) return showJoinForm(failure);
  showToast(`${room.displayName}: ${errorText(failure)}`);
  if (roomVisible && !session.current) showRoom(otherRoom, { replace: true });
  else session.current ??= otherRoom;
  return undefined;
}

/** Make a room current and put its name into the URL. */
function showRoom(room, { replace = false } = {}) {
  session.current = room;
  room.readTracker.resume();
  timeline.showRoom(room);
  composer.showDraft(room.displayName, drafts.get(room.requestedName));
  completion.close();
  searchPanel.onRoomChange();
  panels.closeDrawers();
  renderedName = room.displayName;
  setRoomUrl(room.name, { replace });
  saveSession();
  scheduler.schedule();
  // On phones, focusing the input would open the on-screen keyboard over the messages.
  if (!panels.isOpen("search") && HOVER_QUERY.matches) composer.focus();
}

/** Switch to a room; join it first if necessary. */
function openRoom(name) {
  showRoom(session.openRoom(name));
}

/** Open the room of a search result and scroll to the message. */
async function openSearchResult(name, seq) {
  panels.closeDrawers();
  if (!session.current?.matchesName(name)) openRoom(name);
  await session.current.waitUntilJoined();
  if (!(await timeline.jumpTo(seq))) showToast(strings.messageUnavailable);
}

function leaveRoom(room) {
  const index = session.rooms.indexOf(room);
  if (index < 0) return; // closed during the request
  const isCurrent = room === session.current;
  delayedDeletions.flush();
  drafts.save(room.requestedName, { text: "" });
  session.closeRoom(room);
  const next = session.rooms[index] ?? session.rooms[index - 1];
  if (!next) showJoinForm();
  else if (isCurrent) showRoom(next, { replace: true });
  saveSession();
}

function stopSession() {
  delayedDeletions.flush();
  session?.stop();
  session = null;
  roomVisible = false;
}

function showJoinForm(failure = null) {
  stopSession();
  sessionStore.remove("session");
  savedSession = "";
  chatElement.hidden = true;
  notifier.updateBadge({ title: strings.title, unreadCount: 0, mentionCount: 0 });
  joinForm.show({ failure });
}

function saveSession() {
  if (!session) return;
  const { nick, away, current, rooms } = session;
  const saved = { nick, away, room: current?.requestedName, rooms: rooms.map(({ requestedName }) => requestedName) };
  if (JSON.stringify(saved) === savedSession) return;
  savedSession = JSON.stringify(saved);
  sessionStore.set("session", saved);
}

/** Send a draft or run a command; return false to keep the text in the composer. */
function submitDraft(draft) {
  return runSafely(() => submitText(draft)) ?? false;
}

/** Run an operation of the composer and show its failure. */
function runSafely(operation) {
  try {
    return operation();
  } catch (error) {
    composer.showError(error instanceof CommandRejected ? error.message : errorText(requireRequestError(error)));
    return undefined;
  }
}

function submitText({ text, replyTo, editing }) {
  const room = session.current;
  if (editing) {
    if (room.log.getItem(editing)?.message !== text) room.enqueue("editMessage", { seq: editing, message: text });
    return true;
  }
  return runCommand(text, createCommandContext(room, replyTo));
}

/**
 * @param {import("./state/room.js").Room} room
 * @param {number} [replyTo]
 * @returns {import("./view/command_context.js").CommandContext}
 */
function createCommandContext(room, replyTo) {
  return {
    room,
    session,
    messages: messageActions,
    send(message) {
      room.enqueue("sendMessage", replyTo ? { message, replyTo } : { message });
      timeline.scrollToNewest();
      return true;
    },
    showError: (error) => composer.showError(error),
    restoreText: (text) => room === session?.current && composer.restoreText(text),
    confirm: (question) => confirmDialog.confirm(question),
    copyText,
    openRoom(name) {
      drafts.save(room.requestedName, { text: "" });
      openRoom(name);
    },
    leave(name) {
      const target = name ? session.findRoom(name) : room;
      if (target) leaveRoom(target);
      else composer.showError(strings.notInRoom(name));
      return Boolean(target);
    },
    closeRoom: leaveRoom,
    openRoomDialog: (filter) => roomDialog.open(session, filter),
    openSettings,
    openHelp: () => helpDialog.open(),
    openAccount: (options) => accountDialog.open(options),
    openSearch(query) {
      panels.setOpen("search", true);
      searchPanel.open(query);
    },
    openList: (view) => listDialog.open(view),
    openMessage: openSearchResult,
    undoDelete: () => delayedDeletions.undo(),
  };
}

function openSettings() {
  settingsDialog.open({ nick: session.current.nick, away: session.away, hasAccount: session.hasAccount });
}

async function copyText(text) {
  showToast((await writeClipboard(text)) ? strings.copied : strings.copyFailed);
}

function render() {
  if (!session) return;
  const { current, connection } = session;
  if (connection.state === "offline") wasOffline = true;
  else if (wasOffline && connection.state === "online") {
    wasOffline = false;
    composer.showError(""); // concerned the lost connection
  }
  if (!roomVisible) {
    if (connection.state === "offline") joinForm.error = strings.serverUnreachable;
    if (!current?.hasJoined) return;
    roomVisible = true;
    joinForm.hide();
    chatElement.hidden = false;
    showRoom(current, { replace: true });
  }
  const isPageActive = document.visibilityState === "visible" && document.hasFocus();
  let unreadCount = 0;
  let mentionCount = 0;
  for (const room of session.rooms) {
    const isViewed = isPageActive && room === current && timeline.isFollowing && room.isUpToDate;
    const { log, ownMemberIds, nick, members } = room;
    const newMentions = room.readTracker.update({ log, ownMemberIds, nick, members, isViewed });
    if (!isPageActive) notifier.onMentions(room, newMentions);
    unreadCount += room.readTracker.unreadCount;
    mentionCount += room.readTracker.mentionCount;
  }
  saveSession();
  renderRoom(current);
  awayBanner.render();
  roomList.render(session);
  connectionStatus.render();
  const title = unreadCount ? `(${unreadCount}) ${current.displayName}` : `${current.displayName} · ${strings.title}`;
  notifier.updateBadge({ title, unreadCount, mentionCount });
}

function renderRoom(room) {
  const { log, readTracker, name } = room;
  requireElement("room-settings-open").hidden = !isModerator(room.role);
  requireElement("mentions-open").hidden = !session.hasAccount;
  if (room.displayName !== renderedName) {
    renderedName = room.displayName;
    setRoomUrl(name, { replace: true });
    composer.showDraft(room.displayName, composer.draft);
  }
  timeline.render({ unreadCount: readTracker.unreadCount, unreadAfter: readTracker.unreadAfter });
  jumpToUnread.render(room);
  memberPanel.render(room);
  setText(requireElement("room-name"), room.displayName);
  const topic = requireElement("room-topic");
  setText(topic, log.topic);
  topic.title = log.topic;
  const typing = room.typingIndicator.typingNicks(room.members);
  setText(requireElement("typing-indicator"), typing.length ? strings.typing(typing.map(quoteName)) : "");
  composer.showContext(composeContext(room));
}

/** Return the reply or edit context shown above the input; null if there is none. */
function composeContext({ log }) {
  const { replyTo, editing } = composer.draft;
  const item = log.getItem(editing ?? replyTo);
  if (editing) return { label: strings.editingMessage, text: item ? excerpt(item) : "", cancelLabel: strings.cancelEdit };
  if (!replyTo) return null;
  return { label: strings.replyingTo(item?.nickName ?? strings.earlierMessage), text: item ? excerpt(item) : "", cancelLabel: strings.cancelReply };
}

/** Render all views in the current language. */
function changeLanguage() {
  applyStrings();
  for (const view of [timeline, messageToolbar, memberPanel, roomList]) view.rerender();
  renderedName = "";
  scheduler.schedule();
}

applyStrings();
scheduler.watchDate();
installShortcuts({
  getSession: () => (roomVisible ? session : null),
  showRoom,
  composer,
  timeline,
  panels,
  openRoomDialog: () => roomDialog.open(session),
  openHelp: () => helpDialog.open(),
});
requireElement("room-dialog-open", HTMLButtonElement).addEventListener("click", () => roomDialog.open(session));
requireElement("room-create", HTMLButtonElement).addEventListener("click", () => {
  roomDialog.close();
  roomSettingsDialog.open(null);
});
requireElement("room-settings-open", HTMLButtonElement).addEventListener("click", () => roomSettingsDialog.open(session.current));
requireElement("settings-open", HTMLButtonElement).addEventListener("click", openSettings);
requireElement("mentions-open", HTMLButtonElement).addEventListener("click", () => listDialog.open(mentionsView(session, openSearchResult)));
requireElement("blocks-open", HTMLButtonElement).addEventListener("click", () => listDialog.open(blocksView(session)));
for (const id of ["account-open", "join-account"]) {
  requireElement(id, HTMLButtonElement).addEventListener("click", () => {
    settingsDialog.close();
    accountDialog.open();
  });
}
requireElement("help-open", HTMLButtonElement).addEventListener("click", () => helpDialog.open());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") session?.reconnectNow();
  else delayedDeletions.flush();
  scheduler.schedule();
});
installRoomLinks({ confirm: (question) => confirmDialog.confirm(question), openRoom, openRoomDialog: () => roomDialog.open(session), copyText });
for (const event of ["focus", "blur"]) globalThis.addEventListener(event, () => scheduler.schedule());
globalThis.addEventListener("pagehide", () => {
  delayedDeletions.flush();
  session?.saveReadMarkers();
});
globalThis.addEventListener("online", () => session?.reconnectNow());
globalThis.addEventListener("storage", ({ key }) => {
  const name = JsonStorage.keyOf(key);
  if (name === ACCOUNT_KEY && session) onAccountChange();
  else session?.onStorageChange(name);
});
globalThis.addEventListener("hashchange", () => {
  const name = roomFromUrl();
  if (roomVisible && name && !session.current?.matchesName(name)) openRoom(name);
  else if (!session) joinForm.show();
});

const saved = sessionStore.get("session");
const urlRoom = roomFromUrl();
if (saved?.room) {
  const isSavedRoom = !urlRoom || saved.rooms.includes(urlRoom);
  startSession({ ...saved, room: urlRoom || saved.room });
  setTimeout(() => {
    if (session && !roomVisible) joinForm.show({ isBusy: true });
  }, isSavedRoom ? JOIN_FORM_DELAY : 0);
} else {
  joinForm.show();
}
document.getElementById("load-error")?.remove();
