/**
 * Reconnect delays: exponential backoff with jitter; the same rules as in `tui_chat/client/net/backoff.py`.
 *
 * - Growth: the ceiling doubles per failure up to `MAX_DELAY`; jitter covers half of each delay.
 * - Planned restart: the delay announced by the server precedes the next attempt and does not count as a failure.
 * - Reset: a connection of at least `STABLE_AFTER` clears the failure count; a short one counts as a failure.
 */

export const INITIAL_DELAY = 0.25; // s, ceiling of the first delay
export const MAX_DELAY = 15; // s, ceiling of all delays
export const RESTART_JITTER = 2; // s, spread of the reconnects after an announced restart
export const STABLE_AFTER = 5; // s, lifetime of a stable connection

export class Backoff {
  #random;
  #failures = 0;
  /** @type {number | null} */
  #announcedDelay = null;

  /** @param {() => number} random Source of random numbers in [0, 1). */
  constructor(random) {
    this.#random = random;
  }

  /** Clear the failure count after a stable connection. */
  resetFailures() {
    this.#failures = 0;
  }

  /**
   * Set the next delay to the server's announcement, limited to `MAX_DELAY`; negative values count as 0.
   * @param {number} seconds
   */
  setAnnouncedDelay(seconds) {
    this.#announcedDelay = Math.min(Math.max(seconds, 0), MAX_DELAY);
  }

  /** Return the delay before the next attempt in seconds and count the attempt. */
  nextDelay() {
    if (this.#announcedDelay !== null) {
      const delay = this.#announcedDelay + this.#random() * RESTART_JITTER;
      this.#announcedDelay = null;
      return delay;
    }
    const ceiling = Math.min(MAX_DELAY, INITIAL_DELAY * 2 ** this.#failures);
    if (ceiling < MAX_DELAY) this.#failures += 1;
    return ceiling * (0.5 + 0.5 * this.#random());
  }
}
