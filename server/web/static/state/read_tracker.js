/**
 * Read marker, unread counts and divider position of one room.
 *
 * - A room is viewed while the user sees its newest message. Messages of a viewed room become read.
 * - The divider is placed above the first message that arrives while the room is not viewed. The divider
 *   stays there until the next such message or until the user sends a message.
 * - After `markUnread`, here or on another device, no message becomes read until `resume`.
 * - Counts of the server include the messages up to an ordinal: the ordinal at the marker plus the unread messages. The
 *   counts are unresolved until the log reaches both the marker and the newest counted entry.
 * - The server moves the marker of an account to each message that the account sends, without a push.
 */

import { isMentioned } from "./mentions.js";
import { MAX_COUNTED, UnreadCounts } from "./unread_counts.js";

/**
 * @typedef {object} RemoteMarker Read marker of another tab, or of the server.
 * @property {number} seq
 * @property {number} [unread] Unread messages after the marker; undefined for the marker of a guest.
 * @property {number} [mentions] Unread messages that mention the user; 0 if undefined.
 */

/** Read state of one room; `update` applies the changes of the log. */
export class ReadTracker {
  #readSeq;
  #onMove;
  #isBlocked;
  #isHeld = false; // no message becomes read
  #newestSeq = 0; // `seq` of the newest entry at the previous `update()`
  #restoredSeq = 0; // `seq` of the newest entry at the first `update()` of a restored room
  #wasReading = false; // state at the previous `update()`
  /** @type {import("./room_log.js").RoomLog | null} */
  #log = null;
  #countedSeq = 0; // `seq` up to which the counts include the messages
  #counts = new UnreadCounts();
  /** @type {{unread: number, mentions?: number, asOf: number} | null} */
  #unresolved = null; // counts of the server

  /** True for a room of an earlier page: no message before the first `update()` qualifies for a notification. */
  isRestored = false;
  /** `seq` of the entry above the unread divider; null if there is no divider. */
  unreadAfter = /** @type {number | null} */ (null);

  /**
   * @param {object} options
   * @param {number | null} options.readSeq Stored read marker; null for a room without one.
   * @param {(seq: number, isUnread: boolean) => void} options.onMove Called with the new marker; `isUnread` is true for a
   *   move by `markUnread`.
   * @param {(memberId: string) => boolean} options.isBlocked Returns whether the user has blocked a member. Messages of
   *   blocked members count as unread, but not as mentions.
   */
  constructor({ readSeq, onMove, isBlocked }) {
    this.#readSeq = readSeq;
    this.#onMove = onMove;
    this.#isBlocked = isBlocked;
  }

  /** Number of unread messages. */
  get unreadCount() {
    return this.#counts.unread;
  }

  /** Number of unread messages that mention the user. */
  get mentionCount() {
    return this.#counts.mentions;
  }

  /** Remove the divider, and let messages become read again; called after the user sends a message. */
  clearDivider() {
    this.unreadAfter = null;
    this.resume();
  }

  /** Move the marker before a message, possibly down; no message becomes read until `resume`. The next `update` counts again. */
  markUnread(seq) {
    this.#isHeld = true;
    this.#setMarker(seq - 1, true);
    this.#startCounts(this.#log?.ordinalAt(seq - 1) ?? null);
  }

  /** Let messages become read again; called when the user opens the room or jumps to the newest message. */
  resume() {
    this.#isHeld = false;
  }

  /**
   * Apply the read marker of another tab or device, without a call of `onMove`. After a marker below the current one, as
   * after `markUnread`, no message becomes read until `resume`.
   * @param {RemoteMarker} marker
   * @param {number} asOf `seq` of the newest entry that the counts include; unused for the marker of a guest.
   */
  applyRemoteMarker({ seq, unread, mentions }, asOf) {
    if (seq !== this.#readSeq) {
      this.#isHeld ||= this.#readSeq !== null && seq < this.#readSeq;
      this.#readSeq = seq;
      if (unread === undefined) this.#startCounts();
    }
    if (unread === undefined) return;
    this.#unresolved = { unread, mentions, asOf };
    this.#counts.set(this.#unresolved, null);
  }

  /**
   * Update counts, marker and divider from the log. Without a marker, all loaded messages become read. A marker above the
   * end of a log that the server has replaced becomes 0. No effect before the first join.
   * @param {object} options
   * @param {import("./room_log.js").RoomLog} options.log
   * @param {Set<string>} options.ownMemberIds Current and former member ids of the user.
   * @param {string} options.nick Nickname of the user in the room.
   * @param {Map<string, import("./room.js").Member>} options.members Present members.
   * @param {boolean} [options.isDirect] True for a direct room.
   * @param {boolean} options.isViewed True if the user sees the newest message.
   * @returns {object[]} Messages since the previous update that qualify for a notification: those that mention the user, and
   *   in a direct room all messages of other members; none before the first join.
   */
  update({ log, ownMemberIds, nick, members, isDirect = false, isViewed }) {
    const isReading = isViewed && !this.#isHeld;
    const { lastSeq } = log;
    if (lastSeq === null) return [];
    this.#readSeq ??= this.#setMarker(lastSeq);
    if (log !== this.#log) {
      if (this.#log === null && this.isRestored) this.#restoredSeq = lastSeq;
      this.#log = log;
      // The stored marker is of a log that the server has replaced. Later, another tab can be ahead of this one.
      if (lastSeq < this.#readSeq && !this.#counts.isExact) this.#setMarker(0);
      if (!this.#counts.isExact) this.#startCounts();
    }
    this.#resolveCounts(log);
    const notifiable = this.#countNew(log, { ownMemberIds, nick, members, isDirect });
    if (this.#counts.unread && !(isReading && this.#wasReading)) this.unreadAfter = this.#readSeq;
    if (isReading) this.#readAll(log);
    this.#wasReading = isReading;
    return notifiable;
  }

  /** Set the counts of the server with their ordinal, once the log extends to all counted entries. */
  #resolveCounts(log) {
    const counts = this.#unresolved;
    const readSeq = this.#readSeq ?? 0;
    if (counts === null || log.lastSeq < Math.max(readSeq, counts.asOf)) return;
    const ordinal = log.ordinalAt(readSeq);
    this.#counts.set(counts, ordinal === null ? log.ordinalAt(counts.asOf) : ordinal + counts.unread);
    this.#countedSeq = ordinal === null ? counts.asOf : readSeq;
    this.#unresolved = null;
  }

  /** Count the new messages of the log, and return those that qualify for a notification (`update`). */
  #countNew(log, { ownMemberIds, nick, members, isDirect }) {
    const { items } = log;
    const firstSeq = Math.max(this.#readSeq ?? 0, Math.min(this.#countedSeq, this.#newestSeq));
    const notifiable = [];
    let index = items.length;
    while (index > 0 && items[index - 1].seq > firstSeq && items.length - index < MAX_COUNTED) index -= 1;
    for (const item of items.slice(index)) {
      if (item.kind !== "message") continue;
      const isOwn = ownMemberIds.has(item.memberId);
      const isNew = item.seq > this.#newestSeq; // a lower marker counts messages again
      const isShown = !isOwn && !item.deleted && !this.#isBlocked(item.memberId);
      const isMention = isShown && isMentioned(item, { nick, ownMemberIds, members });
      if (isNew && item.seq > this.#restoredSeq && (isMention || (isDirect && isShown))) notifiable.push(item);
      if (item.seq <= (this.#unresolved?.asOf ?? this.#countedSeq) || this.#counts.includes(item)) continue;
      if (isOwn && isNew && this.#counts.isExact) this.#moveToOwnMessage(item);
      else if (!this.#unresolved) this.#counts.add(item, { isOwn, isMention });
    }
    this.#newestSeq = log.lastSeq;
    if (!this.#unresolved) this.#countedSeq = log.lastSeq;
    return notifiable;
  }

  /** Move the marker to a message of the account, as the server does. */
  #moveToOwnMessage({ seq, n = null }) {
    if (seq <= (this.#readSeq ?? 0)) return;
    this.#setMarker(seq);
    this.#startCounts(n);
  }

  /** Move the marker to the newest entry, unless the log ends before the marker, and set the counts to 0. */
  #readAll(log) {
    if (log.lastSeq > (this.#readSeq ?? 0)) this.#setMarker(log.lastSeq);
    if (log.lastSeq >= (this.#readSeq ?? 0)) {
      this.#unresolved = null;
      this.#countedSeq = log.lastSeq;
    }
    this.#counts.reset(log.ordinalAt(log.lastSeq));
  }

  /**
   * Reset the counts, so that the next count includes all messages after the marker.
   * @param {number | null} [ordinal] Ordinal at the marker of an account.
   */
  #startCounts(ordinal = null) {
    this.#unresolved = null;
    this.#counts.reset(ordinal);
    this.#countedSeq = this.#counts.isExact ? (this.#readSeq ?? 0) : 0;
  }

  /**
   * @param {number} seq
   * @param {boolean} [isUnread]
   */
  #setMarker(seq, isUnread = false) {
    this.#readSeq = seq;
    this.#onMove(seq, isUnread);
    return seq;
  }
}
