/**
 * Reconnect delays: exponential backoff with jitter; the same rules as in `tui_chat/client/net/backoff.py`, without the
 * fast retries after a suspend.
 *
 * - Growth: the ceiling doubles per failure up to `EARLY_MAX_DELAY`, and after `EARLY_RETRY_DURATION` of delays up to
 *   `MAX_DELAY`; jitter covers half of each delay.
 * - Planned restart: the delay announced by the server precedes the next attempt and does not count as a failure.
 * - Reset: a connection of at least `STABLE_AFTER` clears the failure count; a short one counts as a failure.
 */

export const INITIAL_DELAY = 0.25; // s, ceiling of the first delay
export const EARLY_RETRY_DURATION = 60; // s, sum of the delays with the ceiling `EARLY_MAX_DELAY`
export const EARLY_MAX_DELAY = 2; // s, ceiling of the delays of the first minute
export const MAX_DELAY = 15; // s, ceiling of all delays
export const RESTART_JITTER = 2; // s, spread of the reconnects after an announced restart
export const STABLE_AFTER = 5; // s, lifetime of a stable connection

/** Delays of successive connection attempts. */
export class Backoff {
  #random;
  #failures = 0;
  #totalDelay = 0; // s since the last stable connection
  /** @type {number | null} */
  #announcedDelay = null;

  /** @param {() => number} random Source of random numbers in [0, 1). */
  constructor(random) {
    this.#random = random;
  }

  /** Start again with short delays; called after a stable connection. */
  resetFailures() {
    this.#failures = 0;
    this.#totalDelay = 0;
  }

  /**
   * Set the next delay to the announcement of the server, limited to 0 to `MAX_DELAY`; `nextDelay` adds a random part of
   * `RESTART_JITTER`.
   * @param {number} seconds
   */
  setAnnouncedDelay(seconds) {
    this.#announcedDelay = Math.min(Math.max(seconds, 0), MAX_DELAY);
  }

  /** Return the delay before the next attempt in seconds. An attempt counts as a failure unless its delay was announced. */
  nextDelay() {
    if (this.#announcedDelay !== null) {
      const delay = this.#announcedDelay + this.#random() * RESTART_JITTER;
      this.#announcedDelay = null;
      return delay;
    }
    const limit = this.#totalDelay < EARLY_RETRY_DURATION ? EARLY_MAX_DELAY : MAX_DELAY;
    const ceiling = Math.min(limit, INITIAL_DELAY * 2 ** this.#failures);
    if (ceiling < limit) this.#failures += 1;
    const delay = ceiling * (0.5 + 0.5 * this.#random());
    this.#totalDelay += delay;
    return delay;
  }
}
