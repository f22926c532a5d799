/**
 * Retry decisions of the outbox of one room; the same rules as in `tui_chat/client/outbox/retry_policy.py`.
 *
 * - Final errors: all except `RequestError.isTemporary`.
 * - Delay: `retryAfter` of the error, otherwise exponential backoff. `rate_limited` does not increase the backoff,
 *   because the rate limit is no failure of the server.
 * - Internal errors: an item fails at its `MAX_INTERNAL_ERRORS`-th `internal` error.
 */

export const RETRY_DELAY = 0.5; // s, after the first temporary error without `retryAfter`
export const MAX_RETRY_DELAY = 15; // s
export const MAX_INTERNAL_ERRORS = 3; // per item

/** Failure counters of one outbox. */
export class RetryPolicy {
  #failures = 0; // consecutive temporary errors without `rate_limited`
  #internalErrors = 0; // of the item `#clientId`
  #clientId = "";

  /** Clear the counters; called after a success. */
  reset() {
    this.#failures = this.#internalErrors = 0;
  }

  /**
   * Count an error and return the delay before the next attempt of the item.
   * @param {string} clientId
   * @param {import("./request_error.js").RequestError} error
   * @returns {number | null} Delay in seconds; null if the error is final. A final error clears the counters.
   */
  nextDelay(clientId, { code, isTemporary, retryAfter }) {
    if (clientId !== this.#clientId) this.#internalErrors = 0;
    this.#clientId = clientId;
    if (code === "internal") this.#internalErrors += 1;
    if (!isTemporary || this.#internalErrors >= MAX_INTERNAL_ERRORS) {
      this.reset();
      return null;
    }
    const delay = Math.min(MAX_RETRY_DELAY, RETRY_DELAY * 2 ** this.#failures);
    if (code !== "rate_limited") this.#failures += 1;
    return retryAfter ?? delay;
  }
}
