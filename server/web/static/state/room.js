/**
 * One joined room: log, members, notices, outbox, read state and typing state.
 *
 * - `isUpToDate` is true from the end of the catch-up after a join until the disconnect.
 * - After a disconnect, up to `MAX_CATCH_UP` missed entries are loaded completely. Beyond that, the newest
 *   page is loaded and a gap remains.
 */

import { Outbox } from "../net/outbox.js";
import { requireRequestError } from "../net/request_error.js";
import { JOIN_RETRY_DELAY } from "../net/timeouts.js";
import { ConfusableAuthors } from "./confusable_authors.js";
import { HISTORY_PAGE } from "./limits.js";
import { canonicalName } from "./names.js";
import { NoticeList } from "./notice_list.js";
import { ReadTracker } from "./read_tracker.js";
import { RoomAccess } from "./room_access.js";
import { RoomAdministration } from "./room_administration.js";
import { PAGE_SIZE, RoomHistory } from "./room_history.js";
import { RoomLog } from "./room_log.js";
import { Roster } from "./roster.js";
import { isBlank, requireEncodable, requireOpaqueStrings, sanitizeLine, sanitizeReceived, validateMessage } from "./sanitize.js";
import { moveRoomEntries } from "./storage.js";
import { TypingIndicator } from "./typing_indicator.js";
import { randomUuid } from "./uuid.js";

const MAX_CATCH_UP = 1000; // entries

/** @typedef {import("./roster.js").Member} Member */

/** Room of one session, joined by `onConnected` after each connect. */
export class Room {
  #host;
  #generation = 0; // number of joins and leaves; responses from an earlier generation are ignored
  #processedSeq = 0; // newest entry of `#processNewMessages`
  /** @type {number | null} */
  #guestSeq = null; // marker of `transferReadMarker` until the next join
  #isJoined = false; // on the current connection
  #joinWaiters = [];
  // A message at or before the live end is in the log or a gap. The item of a change is displayed until its entry is loaded.
  #isInLog = (seq, event) => (event === "sendMessage" ? seq <= (this.log.lastSeq ?? 0) : this.log.has(seq));

  log = new RoomLog();
  confusableAuthors = new ConfusableAuthors();
  access = new RoomAccess();
  administration = new RoomAdministration(this);
  /** Name used in join requests. */
  requestedName;
  /** Names as requested, later as confirmed by the server. */
  name;
  nick;
  memberId = "";
  /** Display name of a private room, whose name is an address; empty for other rooms. */
  title = "";
  hasJoined = false;
  isUpToDate = false;
  notices;
  roster;
  history;
  outbox;
  readTracker;
  typingIndicator;
  ownMemberIds;

  /**
   * @param {string} name
   * @param {string} nick
   * @param {object} host Connection and persistence callbacks; see `ChatSession.openRoom`.
   */
  constructor(name, nick, host) {
    this.#host = host;
    this.requestedName = this.name = name;
    this.nick = nick;
    this.ownMemberIds = host.ownMemberIds;
    this.notices = new NoticeList({ getPosition: () => this.log.lastSeq ?? 0, onChange: host.onChange });
    this.roster = new Roster({
      requestPage: (body) => host.request("listMembers", { room: this.name, ...body }),
      onLoaded: (members) => {
        this.confusableAuthors.record(members);
        host.onChange();
      },
    });
    this.readTracker = new ReadTracker({
      readSeq: host.marker.initialSeq,
      onMove: (seq, isUnread) => host.marker.move(seq, isUnread),
      isBlocked: (memberId) => this.isBlocked(memberId),
    });
    this.history = new RoomHistory({
      getLog: () => this.log,
      getGeneration: () => this.#generation,
      request: (range) => this.request("history", range),
      isJoined: () => this.#isJoined,
      onNewEntries: () => this.#processNewMessages(),
      onChange: host.onChange,
    });
    this.typingIndicator = new TypingIndicator({
      send: (on) => this.#isJoined && host.send("typing", { room: this.name, on }),
      onChange: host.onChange,
    });
    this.outbox = new Outbox({
      request: async ({ clientId, event, body }) => {
        requireEncodable(body.message ?? body.emoji ?? "");
        const { attachments, ...fields } = body;
        const files = attachments && { attachments: attachments.map(({ id }) => id) };
        const response = await host.request(event, { room: this.name, ...fields, ...files, clientId });
        return response.seq ?? response.revision;
      },
      newId: randomUuid,
      getLastSeq: () => this.log.lastSeq ?? 0,
      store: { save: host.saveItem, delete: host.deleteItem },
      onChange: (confirmedSeq) => {
        if (confirmedSeq !== null) this.history.expectEntry(confirmedSeq);
        this.outbox.removeDelivered(this.#isInLog);
        host.onChange();
      },
    });
  }

  /** Stored present members by id; a new map after every change. */
  get members() {
    return this.roster.members;
  }

  /** Number of present members, including those that `members` does not contain. */
  get memberCount() {
    return this.roster.count;
  }

  /** Ids of the members that the account has blocked; a new set after every change. */
  get blockedIds() {
    return this.#host.blocks.memberIds;
  }

  /** Return whether the account has blocked the member with this id. */
  isBlocked(memberId) {
    return this.blockedIds.has(memberId);
  }

  /** Title or name for display. */
  get displayName() {
    return this.title || this.#host.directTitle() || this.name;
  }

  /** Return whether `name` is the requested or confirmed name of this room. */
  matchesName(name) {
    return canonicalName(name) === canonicalName(this.name) || canonicalName(name) === canonicalName(this.requestedName);
  }

  /** Replace the invite code, and repeat a join in progress; no effect of an empty code, and after the join. */
  updateInvite(invite) {
    if (!invite || this.hasJoined) return;
    this.#host.invite = invite;
    if (this.#host.isOnline()) this.#join();
  }

  /** Join the room; called after each connect. */
  onConnected() {
    this.#join();
  }

  /** Buffer pushes until the next join, and remove typing indicators; called after each disconnect. */
  onDisconnected() {
    this.#isJoined = false;
    this.isUpToDate = false;
    this.log.onDisconnected();
    this.typingIndicator.clear();
  }

  /** Save the read marker, leave the room and stop its outbox for good; unsent items stay in the store. */
  leave() {
    this.saveReadMarker();
    this.#generation += 1;
    this.outbox.close();
    this.history.stop();
    if (this.#isJoined) this.#host.send("leaveRoom", { room: this.name });
    this.#isJoined = false;
  }

  /**
   * Queue a message, edit, deletion or reaction for sending. A message resets the typing state of the user, and removes the
   * unread divider.
   * @param {import("../net/outbox.js").OutboxItem["event"]} event
   * @param {import("../net/outbox.js").OutboxItem["body"]} body
   * @throws {RequestError} The message is blank, too long or not encodable.
   */
  enqueue(event, body) {
    const { message, attachments } = body;
    const isFileOnly = attachments !== undefined && isBlank(message ?? "");
    const request = message === undefined || isFileOnly ? body : { ...body, message: validateMessage(message) };
    if (event === "sendMessage") {
      this.typingIndicator.onMessageSent();
      this.readTracker.clearDivider();
    }
    this.outbox.add(event, request, Date.now());
    this.#flushOutbox();
  }

  /** Queue a failed item again; see `Outbox.retry`. */
  retry(clientId) {
    this.outbox.retry(clientId);
    this.#flushOutbox();
  }

  /** Queue stored items, such as those claimed from a closed tab. */
  adoptItems(items) {
    this.outbox.adopt(items);
    this.#flushOutbox();
  }

  /** Wait for the first successful join; forever if the room is closed before. */
  async waitUntilJoined() {
    if (!this.hasJoined) await new Promise((resolve) => this.#joinWaiters.push(resolve));
  }

  /** Apply a changed nickname to the room, and store its unsent items under the nickname. */
  setNick(nick) {
    this.nick = nick;
    this.#saveItems();
  }

  /**
   * Apply the read marker of another tab or device, unless a move of this tab is not saved yet.
   * @param {import("./read_tracker.js").RemoteMarker} marker
   * @param {number} [asOf] `seq` of the newest entry at the time of the counts.
   */
  applyRemoteMarker(marker, asOf = this.log.lastSeq ?? 0) {
    if (!this.#host.marker.isPending) this.readTracker.applyRemoteMarker(marker, asOf);
  }

  /** Replace the marker of the next join, which is the initial one of a new account, by that of the guest. */
  transferReadMarker(seq) {
    this.#guestSeq = seq;
    this.readTracker.applyRemoteMarker({ seq }, 0);
  }

  /** Save a pending move of the read marker now. */
  saveReadMarker() {
    this.#host.marker.flush();
  }

  /**
   * Send a request for this room.
   * @param {string} event
   * @param {object} fields
   * @returns {Promise<any>}
   * @throws {RequestError}
   */
  request(event, fields) {
    return this.#host.request(event, { room: this.name, ...fields });
  }

  async #join() {
    this.#generation += 1;
    const generation = this.#generation;
    if (!this.log.lastSeq) this.log = this.log.replacement(); // an empty log has nothing to continue
    const since = this.log.lastSeq;
    const request = { roomName: this.requestedName, nickName: this.nick, limit: since === null ? PAGE_SIZE : HISTORY_PAGE };
    const guestKey = this.#host.guestKey();
    if (guestKey) request.guestKey = guestKey;
    if (this.#host.invite) request.invite = this.#host.invite;
    if (since !== null) request.since = since;
    try {
      const response = await this.#host.request("joinRoom", request);
      requireOpaqueStrings(response.guestKey, response.room.logId);
      if (generation === this.#generation) await this.#onJoined(response, since);
    } catch (thrown) {
      if (generation !== this.#generation) return;
      const error = requireRequestError(thrown);
      if (error.code === "offline") return; // the next connect joins again
      if (error.isTemporary) {
        const retryJoin = () => generation === this.#generation && this.#host.isOnline() && this.#join();
        setTimeout(retryJoin, (error.retryAfter ?? JOIN_RETRY_DELAY) * 1000);
      } else {
        this.#generation += 1;
        this.#host.onJoinFailed(error);
      }
    }
  }

  async #onJoined(response, since) {
    const { logId, firstSeq, lastSeq, topic } = response.room;
    if (since !== null && logId !== this.log.id) {
      this.log = this.log.replacement();
      this.notices.clear();
      this.#processedSeq = 0;
      this.outbox.removeDelivered(() => true);
      return this.#join();
    }
    this.#host.onGuestKey(response.guestKey);
    this.name = response.room.name;
    this.title = sanitizeLine(response.room.title ?? "");
    this.access.onJoined(response);
    if (this.#guestSeq !== null) this.#host.marker.move(this.#guestSeq, true);
    this.#guestSeq = null;
    if (response.read) this.applyRemoteMarker(response.read, lastSeq);
    this.memberId = response.memberId;
    this.ownMemberIds.add(response.memberId);
    this.roster.reset(response.members, response.memberCount);
    this.confusableAuthors.record(this.members.values());
    const isCatchUpNeeded = since !== null && response.hasMore && lastSeq - since <= MAX_CATCH_UP;
    const messages = isCatchUpNeeded ? [] : response.messages.map(sanitizeReceived);
    this.log.memberId = response.memberId;
    this.log.id = logId;
    this.log.oldestStored = firstSeq ?? 1;
    this.log.applyJoin({ lastSeq, messages, hasMore: response.hasMore }, since);
    this.log.setTopic(sanitizeLine(topic), lastSeq);
    const { nickName } = response;
    if (canonicalName(nickName) !== canonicalName(this.nick)) this.notices.addAssigned(nickName);
    this.nick = nickName;
    this.hasJoined = true;
    this.#isJoined = true;
    for (const resolve of this.#joinWaiters.splice(0)) resolve();
    this.#processNewMessages();
    this.#host.onJoined();
    this.#host.marker.flush();
    this.#host.onChange();
    this.#flushOutbox();
    await this.history.catchUp();
  }

  /**
   * Apply a push; events of other kinds are ignored.
   * @param {string} event
   * @param {any} body
   */
  handlePush(event, body) {
    if (event === "message" && body.seq === undefined) this.#onNotice(sanitizeReceived(body));
    else if (event === "message" || event === "update") this.#onEntry(sanitizeReceived(body));
    else if (event === "presence") this.#onPresence(body);
    else if (event === "readMarker") this.applyRemoteMarker(body);
    else if (event === "typing" && !this.ownMemberIds.has(body.memberId) && !this.isBlocked(body.memberId)) this.typingIndicator.onTyping(body);
  }

  #onEntry(entry) {
    if (entry.kind === "policy") this.#applyPolicy(entry);
    if (entry.kind === "member") this.#applyMemberChange(entry);
    this.typingIndicator.onTyping({ memberId: entry.memberId, on: false });
    this.log.applyPush(entry);
    this.#processNewMessages();
    if (this.log.missingAfter !== null && this.#isJoined) this.history.catchUp();
  }

  #applyPolicy(change) {
    this.access.applyPolicyChange(change);
    if (change.title !== undefined) this.title = change.title;
    if (change.newName === undefined) return;
    moveRoomEntries(this.requestedName, change.newName);
    this.name = this.requestedName = change.newName;
    this.#saveItems();
  }

  /** Store the unsent items under the present name of the room and nickname. */
  #saveItems() {
    for (const item of this.outbox.items) if (item.state !== "sent") this.#host.saveItem(item);
  }

  #applyMemberChange({ action, target, role }) {
    if (!["joined", "left", "role"].includes(action)) return;
    if (this.ownMemberIds.has(target.memberId) && this.access.role !== "admin") {
      this.access.role = action === "left" ? "" : role ?? "member";
    }
    this.roster.setRole(target.memberId, role ?? "member");
  }

  /** Record the authors of new messages, match messages of the user with the outbox, and update `isUpToDate`. */
  #processNewMessages() {
    const { items } = this.log;
    let index = items.length;
    while (index > 0 && items[index - 1].seq > this.#processedSeq) index -= 1;
    for (; index < items.length; index += 1) {
      const item = items[index];
      if (item.kind !== "message") continue;
      this.notices.recordSpeaker(item);
      if (this.ownMemberIds.has(item.memberId)) this.outbox.onOwnMessage(item.seq, item.message ?? "", Boolean(item.attachments));
    }
    this.#processedSeq = this.log.lastSeq ?? 0;
    if (this.#isJoined && this.log.missingAfter === null) this.isUpToDate = true;
    this.outbox.removeDelivered(this.#isInLog);
  }

  #onNotice(notice) {
    this.confusableAuthors.record([notice]);
    const isOwn = this.ownMemberIds.has(notice.memberId);
    // Join notices of the user are omitted, because they can precede the response that contains the member id.
    if (this.hasJoined && (notice.kind === "nick" || !isOwn)) this.notices.addReceived(notice, isOwn);
  }

  #onPresence({ joined = [], left = [], renamed = [], memberCount }) {
    const changes = { joined: joined.map(sanitizeReceived), left, renamed: renamed.map(sanitizeReceived), memberCount };
    this.roster.applyPresence(changes);
    this.confusableAuthors.record([...changes.joined, ...changes.renamed]);
    for (const { memberId, nickName } of changes.renamed) if (this.ownMemberIds.has(memberId)) this.nick = nickName;
    for (const { memberId, away } of changes.joined) if (memberId === this.memberId) this.#host.onOwnStatus(away ?? null);
  }

  /** Send pending items if joined; otherwise the next join sends them. */
  #flushOutbox() {
    if (this.#isJoined) this.outbox.flush();
  }
}
