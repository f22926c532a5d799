/**
 * Deletions that the user can still undo; the same rule as in `tui_chat/session/held_deletions.py`.
 *
 * - Hold: a deletion waits `UNDO_TIME` before it enters the outbox. Until then, no other member sees it.
 * - Hidden or closed page: `flush` queues all held deletions at once.
 */

const UNDO_TIME = 5000; // ms

export class HeldDeletions {
  /** @type {{room: import("./room.js").Room, seq: number, logId: string, timer: ReturnType<typeof setTimeout>}[]} */
  #held = [];
  #onChange;

  /** @param {() => void} onChange Called after each change. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** Return whether the deletion of a message can still be undone. */
  has(room, seq) {
    return this.#held.some((entry) => entry.room === room && entry.seq === seq);
  }

  /** Delete a message after `UNDO_TIME`. */
  hold(room, seq) {
    if (this.has(room, seq)) return;
    const entry = { room, seq, logId: room.log.id, timer: setTimeout(() => this.#finish(entry), UNDO_TIME) };
    this.#held = [...this.#held, entry];
    this.#onChange();
  }

  /**
   * Cancel the newest held deletion, or the one of a message.
   * @param {import("./room.js").Room | null} [room]
   * @param {number} [seq]
   * @returns {boolean} True if there was one.
   */
  undo(room = null, seq = 0) {
    const entry = this.#held.findLast((candidate) => !room || (candidate.room === room && candidate.seq === seq));
    if (!entry) return false;
    this.#remove(entry);
    this.#onChange();
    return true;
  }

  /** Queue all held deletions in the outbox. */
  flush() {
    for (const entry of this.#held) this.#finish(entry);
  }

  #finish(entry) {
    this.#remove(entry);
    // A replaced log assigns `seq` to another message.
    if (entry.room.log.id === entry.logId) entry.room.enqueue("deleteMessage", { seq: entry.seq });
    this.#onChange();
  }

  #remove(entry) {
    clearTimeout(entry.timer);
    this.#held = this.#held.filter((candidate) => candidate !== entry);
  }
}
