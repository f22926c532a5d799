/**
 * Unread messages and mentions of one room.
 *
 * - Account: the counts of the server, plus newer messages by their ordinals (docs/protocol.md, "Unread messages").
 *   Deleted messages and those of the user count.
 * - Guest: the loaded messages of other members, without deleted ones and up to `MAX_COUNTED`.
 */

export const MAX_COUNTED = 1000; // messages

/** Counts of one room, initially those of a guest. */
export class UnreadCounts {
  #unread = 0;
  #mentions = 0;
  #isExact = false;
  /** @type {number | null} */
  #ordinal = null; // of the newest message that the counts include; null if it is unknown

  /** Number of unread messages. */
  get unread() {
    return this.#unread;
  }

  /** Number of unread messages that mention the user. */
  get mentions() {
    return this.#mentions;
  }

  /** True for the counts of an account. */
  get isExact() {
    return this.#isExact;
  }

  /**
   * Set the counts of the server; from now on the counts are those of an account.
   * @param {{unread: number, mentions?: number}} read
   * @param {number | null} ordinal Ordinal of the newest message that the counts include; null if it is unknown.
   */
  set({ unread, mentions = 0 }, ordinal) {
    this.#isExact = true;
    this.#unread = Math.max(0, unread);
    this.#mentions = Math.max(0, mentions);
    this.#ordinal = ordinal;
  }

  /**
   * Set the counts to 0; `isExact` stays.
   * @param {number | null} [ordinal] Ordinal of the newest read message; null if it is unknown.
   */
  reset(ordinal = null) {
    this.#unread = this.#mentions = 0;
    this.#ordinal = ordinal;
  }

  /**
   * Return whether the counts of the server include a message.
   * @param {import("./room_log.js").Item} message
   */
  includes({ n = 0 }) {
    return this.#isExact && this.#ordinal !== null && n <= this.#ordinal;
  }

  /**
   * Count a message that the counts do not include.
   * @param {import("./room_log.js").Item} message
   * @param {{isOwn: boolean, isMention: boolean}} options
   */
  add({ n = 0, deleted }, { isOwn, isMention }) {
    if (this.#isExact) {
      this.#unread += this.#ordinal === null ? 1 : n - this.#ordinal;
      this.#ordinal = n;
    } else if (isOwn || deleted) return;
    else this.#unread = Math.min(MAX_COUNTED, this.#unread + 1);
    if (isMention) this.#mentions += 1;
  }
}
