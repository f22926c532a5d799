/**
 * Deletions that the user can still undo; the same rule as in `tui_chat/session/delayed_deletions.py`.
 *
 * - Delay: a deletion waits `UNDO_TIME` before it enters the outbox. Until then, no other member sees the deletion.
 * - Hidden or closed page: `flush` queues all delayed deletions at once.
 */

const UNDO_TIME = 5000; // ms

/** Delayed deletions of all rooms. */
export class DelayedDeletions {
  /** @type {{room: import("./room.js").Room, seq: number, logId: string, timer: ReturnType<typeof setTimeout>}[]} */
  #delayed = [];
  #onChange;

  /** @param {() => void} onChange Called after each change. */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /** Return whether the deletion of a message can still be undone. */
  has(room, seq) {
    return this.#delayed.some((entry) => entry.room === room && entry.seq === seq);
  }

  /**
   * Queue the deletion of a message after `UNDO_TIME`; without effect if its deletion is delayed already. The deletion is
   * dropped if the log of the room is replaced meanwhile.
   */
  schedule(room, seq) {
    if (this.has(room, seq)) return;
    const entry = { room, seq, logId: room.log.id, timer: setTimeout(() => this.#finish(entry), UNDO_TIME) };
    this.#delayed = [...this.#delayed, entry];
    this.#onChange();
  }

  /**
   * Cancel the newest delayed deletion, or the one of a message.
   * @param {import("./room.js").Room | null} [room]
   * @param {number} [seq]
   * @returns {boolean} True if there was one.
   */
  undo(room = null, seq = 0) {
    const entry = this.#delayed.findLast((candidate) => !room || (candidate.room === room && candidate.seq === seq));
    if (!entry) return false;
    this.#remove(entry);
    this.#onChange();
    return true;
  }

  /**
   * Queue the delayed deletions of a room in its outbox now, by default those of all rooms; see `schedule`.
   * @param {import("./room.js").Room | null} [room]
   */
  flush(room = null) {
    for (const entry of this.#delayed) if (!room || entry.room === room) this.#finish(entry);
  }

  /** End the delay of a deletion; see `schedule`. */
  #finish(entry) {
    this.#remove(entry);
    // A replaced log assigns `seq` to another message.
    if (entry.room.log.id === entry.logId) entry.room.enqueue("deleteMessage", { seq: entry.seq });
    this.#onChange();
  }

  #remove(entry) {
    clearTimeout(entry.timer);
    this.#delayed = this.#delayed.filter((candidate) => candidate !== entry);
  }
}
