/**
 * Status of the user: away with an optional text, or present.
 *
 * - The server forgets the status of a member without connections, so each connection sends the status again.
 */

import { sanitizeLine } from "./sanitize.js";

export class OwnStatus {
  #isSent = false; // on the current connection

  /** @type {string | null} Status text, possibly empty; null if the user is not away. */
  away;

  /** @param {string | null} away Status text to restore. */
  constructor(away) {
    this.away = away;
  }

  /**
   * Show the members of all rooms that the user is away, or back.
   * @param {string | null} text Reason, possibly empty; null removes the status.
   * @param {(event: string, body: object) => Promise<any>} request
   * @throws {RequestError}
   */
  async set(text, request) {
    const status = text && sanitizeLine(text);
    await request("setStatus", { away: status !== null, ...(status && { text: status }) });
    this.away = status;
  }

  /**
   * Send the status once per connection; called after a join. No effect if the user is not away.
   * @param {(event: string, body: object) => void} send
   */
  resend(send) {
    if (this.#isSent || this.away === null) return;
    this.#isSent = true;
    send("setStatus", { away: true, ...(this.away && { text: this.away }) });
  }

  /** Let the next join send the status again. */
  onConnectionChange() {
    this.#isSent = false;
  }
}
