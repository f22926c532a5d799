/**
 * Entry point: connection of the session state with the views.
 *
 * - Owns the one `ChatSession`, and tracks whether the join form or a room is visible.
 * - State changes render through `scheduler`, at most once per frame.
 */

import { applyStrings, errorText, strings } from "./i18n/strings.js";
import { createTabLocks } from "./net/tab_locks.js";
import { uploadFile } from "./net/upload_request.js";
import { storedAccount } from "./state/account.js";
import { AutoAway } from "./state/auto_away.js";
import { ChatSession } from "./state/chat_session.js";
import { parseInput } from "./state/command_parser.js";
import { DelayedDeletions } from "./state/delayed_deletions.js";
import { OutboxStore } from "./state/outbox_store.js";
import { transferGuestMarkers } from "./state/read_markers.js";
import { updateReadTrackers } from "./state/read_summary.js";
import { SavedSession } from "./state/saved_session.js";
import { drafts, guestKeys, localStore } from "./state/storage.js";
import { randomUuid } from "./state/uuid.js";
import { AttachmentRenderer } from "./view/attachments.js";
import { AwayBanner } from "./view/away_banner.js";
import { writeClipboard } from "./view/clipboard.js";
import { Composer } from "./view/composer.js";
import { ComposerCompletion } from "./view/composer_completion.js";
import { createDialogs } from "./view/dialogs.js";
import { requireElement } from "./view/dom.js";
import { DraftSubmission } from "./view/draft_submission.js";
import { EmojiPicker } from "./view/emoji_picker.js";
import { describeContent } from "./view/file_captions.js";
import { JoinForm } from "./view/join_form.js";
import { JumpToUnread } from "./view/jump_to_unread.js";
import { MemberPanel } from "./view/member_panel.js";
import { MessageActions } from "./view/message_actions.js";
import { MessageToolbar } from "./view/message_toolbar.js";
import { Notifier } from "./view/notifier.js";
import { installPageEvents } from "./view/page_events.js";
import { RenderScheduler } from "./view/render_scheduler.js";
import { renderRoomHeader } from "./view/room_header.js";
import { installRoomLinks } from "./view/room_links.js";
import { RoomList } from "./view/room_list.js";
import { RoomSwitch } from "./view/room_switch.js";
import { inviteFromUrl, roomFromUrl, setRoomUrl } from "./view/room_url.js";
import { SearchPanel } from "./view/search_panel.js";
import { installShortcuts } from "./view/shortcuts.js";
import { SidePanels } from "./view/side_panels.js";
import { ConnectionStatus, showToast } from "./view/status.js";
import { Timeline } from "./view/timeline.js";
import { UploadList } from "./view/upload_list.js";

const HOVER_QUERY = globalThis.matchMedia("(hover: hover)");
const JOIN_FORM_DELAY = 400; // ms from a reload until the join form appears

const chatElement = requireElement("chat");
const scheduler = new RenderScheduler(render);
const savedSession = new SavedSession();
const tabId = randomUuid();
const outboxStore = new OutboxStore({ storage: localStore, tabId, tabLocks: createTabLocks(tabId) });
let session = null;
let roomVisible = false;
let renderedName = "";
let wasOffline = false;

const joinForm = new JoinForm({ onSubmit: (room, nick) => startSession({ room, nick }), onChange: stopSession, onLanguageChange: changeLanguage });
const emojiPicker = new EmojiPicker();
const delayedDeletions = new DelayedDeletions(() => scheduler.schedule());
const notifier = new Notifier((room) => session?.rooms.includes(room) && showRoom(room));
const roomSwitch = new RoomSwitch({ getSession: () => session, showRoom });
const dialogs = createDialogs({
  getSession: () => session,
  getGuest: () => ({ nick: session?.current?.nick ?? joinForm.nick, key: session ? session.guestKey : guestKeys.get(joinForm.nick) }),
  notifier,
  openRoom,
  roomSwitch,
  openMessage: openSearchResult,
  closeRoom: leaveRoom,
  copyText,
  onAccountChange,
  onLanguageChange: changeLanguage,
  onJoinVisibilityChange(visibility) {
    timeline.setJoinVisibility(visibility);
    scheduler.schedule();
  },
});
const askToConfirm = (options) => dialogs.confirm.confirm(options);
const memberPanel = new MemberPanel({
  onChange: () => scheduler.schedule(),
  onOpen: (member, room) => dialogs.member.open(member, room),
});
const completion = new ComposerCompletion(() => session?.current);
const awayBanner = new AwayBanner(() => session);
const connectionStatus = new ConnectionStatus(() => session);
const searchPanel = new SearchPanel({ getSession: () => session, onOpenResult: openSearchResult });
const roomList = new RoomList({ onSelect: showRoom, onOpen: openRoom, onLeave: leaveRoom });
const panels = new SidePanels((name) => name === "search" && searchPanel.open());
const attachmentRenderer = new AttachmentRenderer(() => session?.attachmentAddresses ?? null);
const timeline = new Timeline({
  actions: {
    onRetry: (clientId) => session.current.retry(clientId),
    onDiscard: (clientId) => session.current.outbox.discard(clientId),
    onEditAgain: (clientId) => composer.restoreItem(session.current.outbox, clientId),
    onReact: (seq, emoji, on) => session.current.enqueue("react", { seq, emoji, on }),
    onUndoDelete: (seq) => delayedDeletions.undo(session.current, seq),
    onUnavailable: () => showToast(strings.messageUnavailable),
    renderAttachments: (attachments) => attachmentRenderer.render(attachments),
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
    copy: (item) => copyText(describeContent(item)),
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
const uploadList = new UploadList({
  upload: (room, file, transfer) => uploadFile({ room: room.name, file, authorization: session.authorization, ...transfer }),
  onChange: () => composer.onFilesChanged(),
  onRejected: (message) => composer.showError(message),
});
const composer = new Composer({
  confirm: askToConfirm,
  uploads: uploadList,
  onSubmit: (draft) => draftSubmission.submit(draft),
  onDraftChange(draft) {
    if (!session) return; // the draft closed the last room
    drafts.save(session.current.requestedName, draft);
    const input = parseInput(draft.text);
    const isTyping = draft.text !== "" && !draft.editing && ("text" in input || input.command === "me");
    session.current.typingIndicator.setTyping(isTyping);
    scheduler.schedule();
  },
  onEditLast: () => draftSubmission.runSafely(() => messageActions.editLast("")),
});
const messageActions = new MessageActions({
  getRoom: () => session?.current,
  composer,
  timeline,
  delayedDeletions,
  confirm: askToConfirm,
});
const draftSubmission = new DraftSubmission({
  getSession: () => session,
  getRoom: () => session?.current,
  composer,
  uploadList,
  timeline,
  messageActions,
  delayedDeletions,
  dialogs,
  notifier,
  panels,
  searchPanel,
  confirm: askToConfirm,
  copyText,
  openRoom,
  roomSwitch,
  leaveRoom,
  openMessage: openSearchResult,
});

/**
 * Connect, and open a room, further rooms, and the rooms with unsent messages of the nickname.
 * @param {Partial<import("./state/saved_session.js").SavedState> & {room: string, nick: string}} options
 */
function startSession({ room, nick, rooms = [], away = null }) {
  joinForm.isBusy = true;
  session = new ChatSession({
    nick,
    outboxStore,
    away,
    onChange: () => scheduler.schedule(),
    onRoomClosed,
    onStorageFailed: () => showToast(strings.storageUnavailable, { once: true }),
    onLoggedOut,
  });
  session.current = session.restoreRoom(room, inviteFromUrl());
  for (const otherRoom of [...rooms, ...session.roomsWithUnsent]) session.restoreRoom(otherRoom);
}

/**
 * Reconnect with the stored account or as a guest, with the same rooms and status; show the join form without an open room.
 * After a registration, the rooms keep the read markers of the guest.
 */
function onAccountChange({ isRegistration = false } = {}) {
  const account = storedAccount();
  const rooms = session?.rooms.map(({ requestedName }) => requestedName) ?? [];
  const current = session?.current?.requestedName ?? rooms[0];
  const nick = account?.nickName ?? session?.nick;
  const away = session?.status.away ?? null;
  const guestNick = isRegistration && !session?.hasAccount ? session?.nick : undefined;
  showToast(account ? strings.loggedInAs(account.account) : strings.loggedOut);
  if (!current || !nick) return showJoinForm();
  stopSession();
  startSession({ room: current, nick, rooms, away });
  if (guestNick !== undefined) transferGuestMarkers(session.rooms, guestNick);
  return undefined;
}

/** Show the join form after the server has rejected the token, unless the user logs out in this tab. */
function onLoggedOut() {
  if (dialogs.account.isLeaving) return;
  dialogs.account.close();
  showJoinForm();
  joinForm.error = strings.loginExpired;
}

/** Show the reason in a toast, and another open room in place of the visible one; the join form without an open room. */
function onRoomClosed(room, failure) {
  uploadList.close(room);
  const [otherRoom] = session.rooms;
  if (!otherRoom) return showJoinForm(failure);
  showToast(`${room.displayName}: ${errorText(failure)}`);
  if (roomVisible && !session.current) showRoom(otherRoom, { replace: true });
  else session.current ??= otherRoom;
  return undefined;
}

/** Make a room visible with its draft and files, and set its name in the URL; `replace` if the user has not switched. */
function showRoom(room, { replace = false } = {}) {
  if (!replace) roomSwitch.cancel();
  if (session.current !== room) session.current?.typingIndicator.setTyping(false);
  session.current = room;
  emojiPicker.close();
  room.readTracker.resume();
  timeline.showRoom(room);
  uploadList.showRoom(room);
  composer.showDraft(room, drafts.get(room.requestedName));
  completion.close();
  searchPanel.onRoomChange();
  panels.closeDrawers();
  renderedName = room.displayName;
  setRoomUrl(room.name, { replace });
  savedSession.save(session);
  scheduler.schedule();
  // On phones, focusing the input would open the on-screen keyboard over the messages.
  if (!panels.isOpen("search") && HOVER_QUERY.matches) composer.focus();
}

/** Show a room; open the room first if necessary. */
function openRoom(name, invite = "") {
  showRoom(session.openRoom(name, invite));
}

/** Show the room of a search result and scroll to the message, unless the user switches the room before its join. */
async function openSearchResult(name, seq) {
  panels.closeDrawers();
  if (!session.current?.matchesName(name)) openRoom(name);
  const room = session.current;
  await room.waitUntilJoined();
  if (session?.current !== room) return; // the user has switched the room
  if (!(await timeline.jumpTo(seq))) showToast(strings.messageUnavailable);
}

/** Leave a room, and delete its draft and files; show a neighbor of the visible room, or the join form after the last room. */
function leaveRoom(room) {
  const index = session.rooms.indexOf(room);
  if (index < 0) return; // closed during the request
  const isCurrent = room === session.current;
  delayedDeletions.flush(room);
  drafts.save(room.requestedName, { text: "" });
  uploadList.discard(room);
  session.closeRoom(room);
  const next = session.rooms[index] ?? session.rooms[index - 1];
  if (!next) showJoinForm();
  else if (isCurrent) showRoom(next, { replace: true });
  savedSession.save(session);
}

/** End the session, and close its dialogs and search; unsent messages, drafts and uploaded files stay stored. */
function stopSession() {
  dialogs.closeSessionDialogs();
  emojiPicker.close();
  searchPanel.clear();
  delayedDeletions.flush();
  session?.stop();
  uploadList.stop();
  session = null;
  roomVisible = false;
}

/** End the session, and show the join form with the error that closed the last room. */
function showJoinForm(failure = null) {
  stopSession();
  savedSession.remove();
  chatElement.hidden = true;
  notifier.updateBadge({ title: strings.title, unreadCount: 0, mentionCount: 0 });
  joinForm.show({ failure });
}

async function copyText(text) {
  showToast((await writeClipboard(text)) ? strings.copied : strings.copyFailed);
}

/** Render the session, and show its current room after the first join. */
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
  const { unreadCount, mentionCount, notifiable } = updateReadTrackers(session, { isPageActive, isFollowing: timeline.isFollowing });
  if (!isPageActive) for (const [room, messages] of notifiable) notifier.add(room, messages);
  savedSession.save(session);
  renderRoom(current);
  awayBanner.render();
  roomList.render(session);
  dialogs.list.render();
  connectionStatus.render();
  const title = unreadCount ? `(${unreadCount}) ${current.displayName}` : `${current.displayName} · ${strings.title}`;
  notifier.updateBadge({ title, unreadCount, mentionCount });
}

/** Render the visible room, and follow a change of its name. */
function renderRoom(room) {
  const { log, readTracker, name } = room;
  if (room.displayName !== renderedName) {
    renderedName = room.displayName;
    setRoomUrl(name, { replace: true });
    composer.showDraft(room, composer.draft);
  }
  timeline.render({ unreadCount: readTracker.unreadCount, unreadAfter: readTracker.unreadAfter });
  jumpToUnread.render(room);
  memberPanel.render(room);
  renderRoomHeader(room, session.hasAccount);
  uploadList.renderButton();
  composer.renderContext(log);
}

function changeLanguage() {
  applyStrings();
  for (const view of [timeline, messageToolbar, memberPanel, roomList, uploadList, searchPanel]) view.rerender();
  renderedName = "";
  scheduler.schedule();
}

applyStrings();
scheduler.watchDate();
installShortcuts({
  getSession: () => (roomVisible ? session : null),
  showRoom,
  openRoom,
  composer,
  timeline,
  panels,
  openRoomDialog: () => dialogs.room.open(session),
  openHelp: () => dialogs.help.open(),
});
installRoomLinks({ confirm: askToConfirm, openRoom, openRoomDialog: () => dialogs.room.open(session), copyText });
installPageEvents({
  getSession: () => session,
  autoAway: new AutoAway(() => session),
  delayedDeletions,
  onChange: () => scheduler.schedule(),
  onAccountChange,
  onRoomUrl(name) {
    if (!session) joinForm.show();
    else if (name && !roomVisible) session.current = session.openRoom(name, inviteFromUrl());
    else if (name && !(session.current?.hasJoined && session.current.matchesName(name))) openRoom(name, inviteFromUrl());
    else if (roomVisible && inviteFromUrl()) setRoomUrl(session.current.name, { replace: true });
  },
});

const saved = savedSession.load();
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
