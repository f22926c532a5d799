/**
 * Read marker, unread counts and divider position of one room.
 *
 * - A room is viewed while the room is visible, the page has focus and the timeline is at the bottom. Only
 *   messages of a viewed room become read.
 * - The divider is placed above the first message that arrives while the room is not viewed. The divider
 *   stays there until the next such message or until the user sends a message.
 * - After `markUnread`, here or on another device, no message becomes read until `resume`.
 */

import { isMentioned } from "./mentions.js";

const MAX_COUNTED = 1000; // messages

export class ReadTracker {
  #readSeq;
  #onMove;
  #isBlocked;
  #isHeld = false; // no message becomes read
  #newestSeq = 0; // newest entry of all counts
  #wasReading = false; // state at the previous `update()`
  /** @type {import("./room_log.js").RoomLog | null} */
  #log = null;
  #countedSeq = 0;
  #unreadCount = 0;
  #mentionCount = 0;

  /** `seq` of the entry above the unread divider; null if there is no divider. */
  unreadAfter = /** @type {number | null} */ (null);

  /**
   * @param {object} options
   * @param {number | null} options.readSeq Stored read marker; null for a room without one.
   * @param {(seq: number, isUnread: boolean) => void} options.onMove Called when the marker moves; `isUnread` after
   *   `markUnread`.
   * @param {(memberId: string) => boolean} options.isBlocked Return whether the user has blocked a member, whose messages
   *   mention nobody.
   */
  constructor({ readSeq, onMove, isBlocked }) {
    this.#readSeq = readSeq;
    this.#onMove = onMove;
    this.#isBlocked = isBlocked;
  }

  get unreadCount() {
    return this.#unreadCount;
  }

  /** Number of unread messages that mention the user. */
  get mentionCount() {
    return this.#mentionCount;
  }

  /** Remove the divider, and let messages become read again; called after the user sends a message. */
  clearDivider() {
    this.unreadAfter = null;
    this.resume();
  }

  /** Mark a message and all later ones as unread. */
  markUnread(seq) {
    this.#isHeld = true;
    this.#resetCounts();
    this.#setMarker(seq - 1, true);
  }

  /** Let messages become read again; called when the user opens the room or jumps to the newest message. */
  resume() {
    this.#isHeld = false;
  }

  /** Apply the read marker of another tab or device. A lower one than the current marker marks messages as unread. */
  applyRemoteMarker(seq) {
    if (seq === this.#readSeq) return;
    this.#isHeld ||= this.#readSeq !== null && seq < this.#readSeq;
    this.#readSeq = seq;
    this.#resetCounts();
  }

  /**
   * Update counts and marker from the log.
   * @param {object} options
   * @param {import("./room_log.js").RoomLog} options.log
   * @param {Set<string>} options.ownMemberIds
   * @param {string} options.nick
   * @param {Map<string, import("./room.js").Member>} options.members Present members.
   * @param {boolean} options.isViewed True if the user sees the newest message.
   * @returns {object[]} New messages that mention the user.
   */
  update({ log, ownMemberIds, nick, members, isViewed }) {
    const isReading = isViewed && !this.#isHeld;
    const { lastSeq } = log;
    if (lastSeq === null) return [];
    let readSeq = this.#readSeq ?? this.#setMarker(lastSeq);
    if (lastSeq < readSeq) readSeq = this.#setMarker(0); // the server log was replaced
    if (log !== this.#log) {
      this.#log = log;
      this.#resetCounts();
    }
    const newMentions = this.#countNew(log, Math.max(readSeq, this.#countedSeq), { ownMemberIds, nick, members });
    if (this.#unreadCount && !(isReading && this.#wasReading)) this.unreadAfter = readSeq;
    if (isReading) {
      if (lastSeq > readSeq) this.#setMarker(lastSeq);
      this.#unreadCount = this.#mentionCount = 0;
    }
    this.#wasReading = isReading;
    return newMentions;
  }

  #countNew(log, firstSeq, { ownMemberIds, nick, members }) {
    const { items } = log;
    const mentions = [];
    let index = items.length;
    while (index > 0 && items[index - 1].seq > firstSeq && items.length - index < MAX_COUNTED) index -= 1;
    for (const item of items.slice(index)) {
      if (item.kind !== "message" || item.deleted || ownMemberIds.has(item.memberId)) continue;
      this.#unreadCount = Math.min(MAX_COUNTED, this.#unreadCount + 1);
      if (!this.#isBlocked(item.memberId) && isMentioned(item, nick, members)) mentions.push(item);
    }
    this.#mentionCount += mentions.length;
    this.#countedSeq = log.lastSeq;
    const newMentions = mentions.filter(({ seq }) => seq > this.#newestSeq); // a lower marker counts messages again
    this.#newestSeq = log.lastSeq;
    return newMentions;
  }

  #resetCounts() {
    this.#countedSeq = this.#unreadCount = this.#mentionCount = 0;
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
