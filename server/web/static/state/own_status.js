/**
 * Status of the user: away with an optional text, or present.
 *
 * - The server forgets the status of a member without connections, so each connection sends the status again.
 * - An automatic status (`AutoAway`) has no text. All tabs with the nickname share the mark of an automatic status.
 */

import { sanitizeLine } from "./sanitize.js";
import { automaticStatuses } from "./storage.js";

/** Status of the user of one session. */
export class OwnStatus {
  #request;
  #getNick;
  #onChange;
  #isSent = false; // on the current connection

  /** @type {string | null} Status text, possibly empty; null if the user is not away. */
  away;

  /**
   * @param {string | null} away Status text to restore.
   * @param {object} options
   * @param {(event: string, body: object) => Promise<any>} options.request
   * @param {() => string} options.getNick Returns the requested nickname.
   * @param {() => void} options.onChange Called after `set`.
   */
  constructor(away, { request, getNick, onChange }) {
    this.away = away;
    this.#request = request;
    this.#getNick = getNick;
    this.#onChange = onChange;
  }

  /** True if the user is away by an automatic status, also by that of another tab. */
  get isAutomatic() {
    return this.away === "" && automaticStatuses.has(this.#getNick());
  }

  /**
   * Send the status to the server; `away` and the mark of an automatic status change after the acknowledgement.
   * @param {string | null} text Reason, possibly empty; null removes the status.
   * @param {{isAutomatic?: boolean}} [options] `isAutomatic` sets the mark for this nickname; any other status removes it.
   * @throws {RequestError}
   */
  async set(text, { isAutomatic = false } = {}) {
    const status = text && sanitizeLine(text);
    await this.#request("setStatus", { away: status !== null, ...(status && { text: status }) });
    this.away = status;
    if (isAutomatic) automaticStatuses.add(this.#getNick());
    else automaticStatuses.delete(this.#getNick());
    this.#onChange();
  }

  /** Apply the status that another connection of the user has set; a text removes the mark of an automatic status. */
  applyPush(away) {
    this.away = away;
    if (away) automaticStatuses.delete(this.#getNick());
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
