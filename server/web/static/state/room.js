/**
 * One joined room: log, members, notices, outbox, read state and typing state.
 *
 * - While `isUpToDate` is true, no entry missed during a disconnect is outstanding.
 * - After a disconnect, up to `MAX_CATCH_UP` missed entries are loaded completely. Beyond that, the newest
 *   page is loaded and a gap remains.
 */

import { Outbox } from "../net/outbox.js";
import { requireRequestError } from "../net/request_error.js";
import { JOIN_RETRY_DELAY } from "../net/timeouts.js";
import { ConfusableAuthors } from "./confusable_authors.js";
import { RecentSpeakers } from "./join_visibility.js";
import { HISTORY_PAGE } from "./limits.js";
import { canonicalName } from "./names.js";
import { POLICY_FIELDS } from "./policy.js";
import { ReadTracker } from "./read_tracker.js";
import { RoomLog } from "./room_log.js";
import { Roster } from "./roster.js";
import { requireEncodable, requireOpaqueStrings, sanitizeLine, sanitizeReceived, validateMessage, validateTopic } from "./sanitize.js";
import { TypingIndicator } from "./typing_indicator.js";
import { randomUuid } from "./uuid.js";

const PAGE_SIZE = 100; // entries
const MAX_CATCH_UP = 1000; // entries
const MAX_NOTICES = 200; // each of relevant and irrelevant notices
const PUSH_GRACE = 1000; // ms to wait for a push before fetching its entry

/**
 * @typedef {import("./roster.js").Member} Member
 *
 * @typedef {object} Notice
 * @property {number} id
 * @property {string} kind
 * @property {number} after `seq` of the preceding entry.
 * @property {number} ts
 * @property {string} [nickName]
 * @property {string} [oldNickName]
 * @property {number} [more]
 * @property {boolean} [confusable] As of a member.
 * @property {string} [text]
 * @property {boolean} [isRelevant] For notices of other members: see `RecentSpeakers`; undefined for notices that are
 *   always visible.
 */

export class Room {
  #host;
  #generation = 0; // number of joins and leaves; responses from an earlier generation are ignored
  #isCatchingUp = false;
  #activeFetches = new Set(); // keys of history requests in flight
  #catchUpTimer = 0;
  #processedSeq = 0; // newest entry of `#processNewMessages`
  #noticeCount = 0;
  #recentSpeakers = new RecentSpeakers();
  #isJoined = false; // on the current connection
  #joinWaiters = [];
  #isDeleting = false;

  log = new RoomLog();
  confusableAuthors = new ConfusableAuthors();
  /** Name used in join requests. */
  requestedName;
  /** Names as requested, later as confirmed by the server. */
  name;
  nick;
  memberId = "";
  /** Display name of a private room, whose name is an address; empty for other rooms. */
  title = "";
  /** @type {Record<string, any>} Policy without the fields that have their default. */
  policy = {};
  /** Own role; empty for guests. */
  role = "";
  hasJoined = false;
  isUpToDate = false;
  /** @type {Notice[]} */
  notices = [];
  roster;
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
    this.roster = new Roster({
      requestPage: (body) => host.request("listMembers", { room: this.name, ...body }),
      onLoaded: (members) => {
        this.confusableAuthors.record(members);
        host.onChange();
      },
    });
    this.readTracker = new ReadTracker({ readSeq: host.readSeq, onRead: host.onRead });
    this.typingIndicator = new TypingIndicator({
      send: (on) => this.#isJoined && host.send("typing", { room: this.name, on }),
      onChange: host.onChange,
    });
    this.outbox = new Outbox({
      request: async ({ clientId, event, body }) => {
        requireEncodable(body.message ?? body.emoji ?? "");
        const response = await host.request(event, { room: this.name, ...body, clientId });
        return response.seq ?? response.revision;
      },
      newId: randomUuid,
      store: { save: host.saveItem, delete: host.deleteItem },
      onChange: (confirmedSeq) => {
        if (confirmedSeq !== null) this.#expectEntry(confirmedSeq);
        this.outbox.removeDelivered((seq) => this.log.has(seq));
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

  /** Title or name for display. */
  get displayName() {
    return this.title || this.#host.directTitle() || this.name;
  }

  /** True during a request of this page that deletes the room. */
  get isDeleting() {
    return this.#isDeleting;
  }

  /** Return whether `name` is the requested or confirmed name of this room. */
  matchesName(name) {
    return canonicalName(name) === canonicalName(this.name) || canonicalName(name) === canonicalName(this.requestedName);
  }

  onConnected() {
    this.#join();
  }

  onDisconnected() {
    this.#isJoined = false;
    this.isUpToDate = false;
    this.log.onDisconnected();
    this.typingIndicator.clear();
  }

  leave() {
    this.#generation += 1;
    this.outbox.close();
    clearTimeout(this.#catchUpTimer);
    if (this.#isJoined) this.#host.send("leaveRoom", { room: this.name });
    this.#isJoined = false;
  }

  /**
   * Queue a message, edit, deletion or reaction for sending.
   * @throws {RequestError} The message is blank, too long or not encodable.
   */
  enqueue(event, body) {
    if (event === "sendMessage") {
      this.typingIndicator.onMessageSent();
      this.readTracker.clearDivider();
    }
    const request = body.message === undefined ? body : { ...body, message: validateMessage(body.message) };
    this.outbox.add(event, request, Date.now());
    this.#flushOutbox();
  }

  retry(clientId) {
    this.outbox.retry(clientId);
    this.#flushOutbox();
  }

  /** Queue items claimed from a closed tab. */
  adoptItems(items) {
    this.outbox.adopt(items);
    this.#flushOutbox();
  }

  /** @returns {Promise<void>} Resolves after the first successful join. */
  async waitUntilJoined() {
    if (!this.hasJoined) await new Promise((resolve) => this.#joinWaiters.push(resolve));
  }

  /** Apply a changed nickname to the room and its stored items. */
  setNick(nick) {
    this.nick = nick;
    for (const item of this.outbox.items) if (item.state !== "sent") this.#host.saveItem(item);
  }

  /**
   * Change the topic.
   * @throws {RequestError}
   */
  async setTopic(topic) {
    return this.#host.request("setTopic", { room: this.name, topic: validateTopic(topic) });
  }

  /** Move the read marker of the account; a lost request is repeated by the next marker. */
  markRead(seq) {
    if (this.#isJoined) this.#host.send("markRead", { room: this.name, seq });
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

  /**
   * Delete the room for all members; the caller closes it afterwards.
   * @throws {RequestError}
   */
  async delete() {
    this.#isDeleting = true;
    try {
      await this.request("deleteRoom", {});
    } finally {
      this.#isDeleting = false;
    }
  }

  /** Add a notice that only this page shows. */
  addLocalNotice(text) {
    this.#addNotice({ kind: "local", text, ts: Date.now() });
    this.#host.onChange();
  }

  /** Add a notice about a nickname that the server assigned in place of the requested one. */
  addAssignedNotice(nickName) {
    this.#addNotice({ kind: "assigned", nickName, ts: Date.now() });
  }

  /**
   * Load the page before the oldest loaded entry.
   * @returns {Promise<boolean>} True if the log changed.
   */
  loadOlder() {
    if (!this.log.hasOlder) return Promise.resolve(false);
    return this.#fetchHistory("older", { before: this.log.firstSeq });
  }

  /**
   * Load one end of a gap.
   * @param {{after: number, before: number}} gap Exclusive bounds.
   * @param {boolean} oldestFirst Load the older end; false for the newer end.
   * @returns {Promise<boolean>} True if the log changed.
   */
  fillGap({ after, before }, oldestFirst) {
    const limit = Math.min(PAGE_SIZE, before - after - 1);
    return this.#fetchHistory(`gap ${after}`, { ...(oldestFirst ? { after } : { before }), limit });
  }

  /**
   * Load the entries around `seq` unless they are loaded already.
   * @returns {Promise<boolean>} True if the log contains `seq` afterwards.
   */
  async loadAround(seq) {
    if (!this.log.has(seq)) await this.#fetchHistory(`around ${seq}`, { around: seq });
    if (!this.log.has(seq)) await this.#catchUp(); // the entry is newer than the live end
    return this.log.has(seq);
  }

  async #fetchHistory(key, range) {
    if (this.#activeFetches.has(key) || !this.#isJoined) return false;
    this.#activeFetches.add(key);
    const generation = this.#generation;
    try {
      const page = await this.#host.request("history", { room: this.name, limit: PAGE_SIZE, ...range });
      if (generation !== this.#generation) return false;
      this.#applyPage(page, range);
      this.#host.onChange();
      return true;
    } catch (error) {
      requireRequestError(error); // the next scroll event retries
      return false;
    } finally {
      this.#activeFetches.delete(key);
    }
  }

  #applyPage(page, range) {
    this.log.applyPage({ ...page, messages: page.messages.map(sanitizeReceived) }, range);
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
      if (generation === this.#generation) await this.#onJoined(response, since, generation);
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

  async #onJoined(response, since, generation) {
    const { logId, firstSeq, lastSeq, topic } = response.room;
    if (since !== null && logId !== this.log.id) {
      this.log = this.log.replacement();
      this.notices = [];
      this.#processedSeq = 0;
      this.outbox.removeDelivered(() => true);
      return this.#join();
    }
    this.#host.onGuestKey(response.guestKey);
    this.name = response.room.name;
    this.title = sanitizeLine(response.room.title ?? "");
    this.policy = response.room.policy ?? {};
    this.role = response.room.role ?? "";
    if (response.read) this.readTracker.applyRemoteMarker(response.read.seq);
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
    if (canonicalName(nickName) !== canonicalName(this.nick)) this.addAssignedNotice(nickName);
    this.nick = nickName;
    this.hasJoined = true;
    this.#isJoined = true;
    for (const resolve of this.#joinWaiters.splice(0)) resolve();
    this.#processNewMessages();
    this.#host.onChange();
    this.#flushOutbox();
    await this.#catchUp();
    if (generation === this.#generation && this.#isJoined) this.isUpToDate = true;
    this.#host.onChange();
  }

  handlePush(event, body) {
    if (event === "message" && body.seq === undefined) this.#onNotice(sanitizeReceived(body));
    else if (event === "message" || event === "update") this.#onEntry(sanitizeReceived(body));
    else if (event === "presence") this.#onPresence(body);
    else if (event === "readMarker") this.readTracker.applyRemoteMarker(body.seq);
    else if (event === "typing" && !this.ownMemberIds.has(body.memberId)) this.typingIndicator.onTyping(body);
  }

  #onEntry(entry) {
    if (entry.kind === "policy") this.#applyPolicy(entry);
    if (entry.kind === "member") this.#applyMemberChange(entry);
    this.typingIndicator.onTyping({ memberId: entry.memberId, on: false });
    this.log.applyPush(entry);
    this.#processNewMessages();
    if (this.log.missingAfter !== null && this.#isJoined) this.#catchUp();
  }

  #applyPolicy(change) {
    const changed = POLICY_FIELDS.filter((field) => change[field] !== undefined).map((field) => [field, change[field]]);
    this.policy = { ...this.policy, ...Object.fromEntries(changed) };
    if (change.newName !== undefined) this.name = this.requestedName = change.newName;
    if (change.title !== undefined) this.title = change.title;
  }

  #applyMemberChange({ action, target, role }) {
    if (action !== "role") return;
    if (this.ownMemberIds.has(target.memberId)) this.role = role ?? "";
    this.roster.setRole(target.memberId, role ?? "member");
  }

  /** Record the authors of new messages, and pass own messages to the outbox for matching. */
  #processNewMessages() {
    const { items } = this.log;
    let index = items.length;
    while (index > 0 && items[index - 1].seq > this.#processedSeq) index -= 1;
    for (; index < items.length; index += 1) {
      const item = items[index];
      if (item.kind !== "message") continue;
      this.#recentSpeakers.add(item);
      if (this.ownMemberIds.has(item.memberId)) this.outbox.onOwnMessage(item.seq, item.message ?? "");
    }
    this.#processedSeq = this.log.lastSeq ?? 0;
    this.outbox.removeDelivered((seq) => this.log.has(seq));
  }

  #onNotice(notice) {
    const { kind, memberId, nickName, oldNickName, more, confusable, ts } = notice;
    this.confusableAuthors.record([notice]);
    const isOwn = this.ownMemberIds.has(memberId);
    // Own join notices are omitted; they can precede the response that contains the member id.
    if (!this.hasJoined || (kind !== "nick" && isOwn)) return;
    const isRelevant = isOwn ? undefined : this.#recentSpeakers.isRelevant(notice);
    this.#addNotice({ kind, nickName, oldNickName, more, confusable, ts, isRelevant });
  }

  /** Append a notice after the newest entry. Irrelevant notices, which are hidden by default, replace no others. */
  #addNotice(notice) {
    this.#noticeCount += 1;
    this.notices.push({ ...notice, id: this.#noticeCount, after: this.log.lastSeq ?? 0 });
    const isIrrelevant = notice.isRelevant === false;
    const bounded = this.notices.filter(({ isRelevant }) => (isRelevant === false) === isIrrelevant);
    if (bounded.length > MAX_NOTICES) this.notices.splice(this.notices.indexOf(bounded[0]), 1);
  }

  #onPresence({ joined = [], left = [], renamed = [], memberCount }) {
    const changes = { joined: joined.map(sanitizeReceived), left, renamed: renamed.map(sanitizeReceived), memberCount };
    this.roster.applyPresence(changes);
    this.confusableAuthors.record([...changes.joined, ...changes.renamed]);
    for (const { memberId, nickName } of changes.renamed) if (this.ownMemberIds.has(memberId)) this.nick = nickName;
  }

  /** Schedule a fetch in case the push of this entry gets lost. */
  #expectEntry(seq) {
    this.log.expectSeq(seq);
    this.#scheduleCatchUp();
  }

  #scheduleCatchUp() {
    clearTimeout(this.#catchUpTimer);
    if (this.log.missingAfter !== null) this.#catchUpTimer = setTimeout(() => this.#catchUp(), PUSH_GRACE);
  }

  async #catchUp() {
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    try {
      for (;;) {
        const after = this.log.missingAfter;
        if (after === null || !this.#isJoined) break;
        const page = await this.#host.request("history", { room: this.name, after, limit: HISTORY_PAGE });
        this.#applyPage(page, { after });
        this.#processNewMessages();
        this.#host.onChange();
        if (this.log.lastSeq === after) break;
      }
    } catch (error) {
      if (requireRequestError(error).code !== "offline") this.#scheduleCatchUp();
    } finally {
      this.#isCatchingUp = false;
    }
  }

  #flushOutbox() {
    if (this.#isJoined) this.outbox.flush();
  }
}
