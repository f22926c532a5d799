/**
 * Status of the user: away with an optional text, or present.
 *
 * - The server forgets the status of a member without connections, so each connection sends the status again.
 * - An automatic status (`AutoAway`) has no text. All tabs with the nickname share the mark of an automatic status.
 * - A change by another device removes the mark, except that of a status without a text: another tab may have set it.
 */

import { requireRequestError } from "../net/request_error.js";
import { restartIdleTime } from "./auto_away.js";
import { sanitizeLine } from "./sanitize.js";
import { automaticStatuses } from "./storage.js";

/** Status of the user of one session. */
export class OwnStatus {
  #request;
  #getNick;
  #onChange;
  /** @type {Promise<any> | null} */
  #resendRequest = null; // of the current connection
  #isRestoring; // until the server has the status, its pushes precede the status

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
    this.#isRestoring = away !== null;
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
    await this.#send(status);
    this.away = status;
    if (isAutomatic) automaticStatuses.add(this.#getNick());
    else automaticStatuses.delete(this.#getNick());
    this.#onChange();
  }

  /**
   * Apply the status that another connection of the user may have set. No effect until the server has the present status.
   * Another text and the end of the status remove the mark of an automatic status; the end also counts as input.
   * @param {string | null} away
   */
  applyPush(away) {
    if (away === this.away || (this.#isRestoring && this.away !== null)) return;
    this.#isRestoring = false;
    this.away = away;
    if (away !== "") automaticStatuses.delete(this.#getNick());
    if (away === null) restartIdleTime();
  }

  /** Send the status once per connection; called after a join. No effect if the user is not away. Errors are ignored. */
  async resend() {
    if (this.#resendRequest || this.away === null) return;
    this.#isRestoring = true;
    const request = this.#send(this.away);
    this.#resendRequest = request;
    try {
      await request;
    } catch (error) {
      requireRequestError(error);
    }
    if (request === this.#resendRequest) this.#isRestoring = false;
  }

  /** Let the next join send the status again. */
  onConnectionChange() {
    this.#resendRequest = null;
    this.#isRestoring = this.away !== null;
  }

  #send(status) {
    return this.#request("setStatus", { away: status !== null, ...(status && { text: status }) });
  }
}
