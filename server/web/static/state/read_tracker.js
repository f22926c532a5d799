/**
 * How far you have read in one room.
 *
 * Rule 1  A message is read only when its room is shown, the page has the focus,
 *         and the newest line is in view.
 * Rule 2  The line above what is new stands where you were when you stopped
 *         looking, until you look away again or say something.
 */

import { mentionsNick } from "./mentions.js";

const MAX_COUNTED = 1000; // unread messages that are counted

export class ReadTracker {
  #readSeq;
  #onRead;
  #wasAttentive = false; // you were looking when it was last brought up to date
  #log = null;
  #countedSeq = 0; // up to this seq
  #unread = 0;
  #mentions = 0;

  /** The last `seq` before what is new, or null while there is no line. */
  unreadAfter = null;

  /**
   * @param {object} from
   * @param {number | null} from.read The last `seq` that you have seen, null when you were never here.
   * @param {(seq: number) => void} from.onRead
   */
  constructor({ readSeq, onRead }) {
    this.#readSeq = readSeq;
    this.#onRead = onRead;
  }

  get unread() {
    return this.#unread;
  }

  /** How many of those name you. */
  get mentions() {
    return this.#mentions;
  }

  /** You have said something: what is above it is no news. */
  clearDivider() {
    this.unreadAfter = null;
  }

  /** Another tab of yours has read up to here. */
  applyRemoteMarker(seq) {
    if (this.#readSeq === null || seq <= this.#readSeq) return;
    this.#readSeq = seq;
    this.#resetCounts();
  }

  /**
   * @param {object} now
   * @param {import("./room_log.js").RoomLog} now.log
   * @param {Set<string>} now.mine Your own member ids.
   * @param {string} now.nick Your nickname.
   * @param {boolean} now.looking Rule 1 holds.
   * @returns {object[]} The messages that name you and that you had not been told of.
   */
  update({ log, ownMemberIds, nick, isAttentive }) {
    if (log.lastSeq === null) return [];
    if (this.#readSeq === null) this.#setMarker(log.lastSeq);
    if (log.lastSeq < this.#readSeq) this.#setMarker(0); // the server began anew
    if (log !== this.#log) {
      this.#log = log;
      this.#resetCounts();
    }
    const mentions = this.#countNew(log, ownMemberIds, nick);
    if (this.#unread && !(isAttentive && this.#wasAttentive)) this.unreadAfter = this.#readSeq;
    if (isAttentive) {
      if (log.lastSeq > this.#readSeq) this.#setMarker(log.lastSeq);
      this.#unread = this.#mentions = 0;
    }
    this.#wasAttentive = isAttentive;
    return mentions;
  }

  #countNew(log, ownMemberIds, nick) {
    const { items } = log;
    const mentions = [];
    let index = items.length;
    const firstSeq = Math.max(this.#readSeq, this.#countedSeq);
    while (index > 0 && items[index - 1].seq > firstSeq && items.length - index < MAX_COUNTED) index -= 1;
    for (const item of items.slice(index)) {
      if (item.kind !== "message" || item.deleted || ownMemberIds.has(item.memberId)) continue;
      this.#unread = Math.min(MAX_COUNTED, this.#unread + 1);
      if (mentionsNick(item.message, nick)) mentions.push(item);
    }
    this.#mentions += mentions.length;
    this.#countedSeq = log.lastSeq;
    return mentions;
  }

  #resetCounts() {
    this.#countedSeq = this.#unread = this.#mentions = 0;
  }

  #setMarker(seq) {
    this.#readSeq = seq;
    this.#onRead(seq);
  }
}
