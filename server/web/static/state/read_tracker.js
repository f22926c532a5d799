/**
 * Read marker, unread counts and divider position of one room.
 *
 * - A room is viewed while the room is visible, the page has focus and the timeline is at the bottom. Only
 *   messages of a viewed room become read.
 * - The divider is placed above the first message that arrives while the room is not viewed. The divider
 *   stays there until the next such message or until the user sends a message.
 */

import { isMentioned } from "./mentions.js";

const MAX_COUNTED = 1000; // messages

export class ReadTracker {
  #readSeq;
  #onRead;
  #wasViewed = false; // state at the previous `update()`
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
   * @param {(seq: number) => void} options.onRead Called when the marker moves.
   */
  constructor({ readSeq, onRead }) {
    this.#readSeq = readSeq;
    this.#onRead = onRead;
  }

  get unreadCount() {
    return this.#unreadCount;
  }

  /** Number of unread messages that mention the user. */
  get mentionCount() {
    return this.#mentionCount;
  }

  /** Remove the divider; called after the user sends a message. */
  clearDivider() {
    this.unreadAfter = null;
  }

  /** Apply the read marker of another tab or device; a lower one than the current marker has no effect. */
  applyRemoteMarker(seq) {
    if (this.#readSeq !== null && seq <= this.#readSeq) return;
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
   * @returns {object[]} Newly counted messages that mention the user.
   */
  update({ log, ownMemberIds, nick, members, isViewed }) {
    const { lastSeq } = log;
    if (lastSeq === null) return [];
    let readSeq = this.#readSeq ?? this.#setMarker(lastSeq);
    if (lastSeq < readSeq) readSeq = this.#setMarker(0); // the server log was replaced
    if (log !== this.#log) {
      this.#log = log;
      this.#resetCounts();
    }
    const newMentions = this.#countNew(log, Math.max(readSeq, this.#countedSeq), { ownMemberIds, nick, members });
    if (this.#unreadCount && !(isViewed && this.#wasViewed)) this.unreadAfter = readSeq;
    if (isViewed) {
      if (lastSeq > readSeq) this.#setMarker(lastSeq);
      this.#unreadCount = this.#mentionCount = 0;
    }
    this.#wasViewed = isViewed;
    return newMentions;
  }

  #countNew(log, firstSeq, { ownMemberIds, nick, members }) {
    const { items } = log;
    const newMentions = [];
    let index = items.length;
    while (index > 0 && items[index - 1].seq > firstSeq && items.length - index < MAX_COUNTED) index -= 1;
    for (const item of items.slice(index)) {
      if (item.kind !== "message" || item.deleted || ownMemberIds.has(item.memberId)) continue;
      this.#unreadCount = Math.min(MAX_COUNTED, this.#unreadCount + 1);
      if (isMentioned(item, nick, members)) newMentions.push(item);
    }
    this.#mentionCount += newMentions.length;
    this.#countedSeq = log.lastSeq;
    return newMentions;
  }

  #resetCounts() {
    this.#countedSeq = this.#unreadCount = this.#mentionCount = 0;
  }

  /** @param {number} seq */
  #setMarker(seq) {
    this.#readSeq = seq;
    this.#onRead(seq);
    return seq;
  }
}
