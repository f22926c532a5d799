/**
 * History requests of one room: older pages, gaps, and entries that pushes did not deliver.
 *
 * - Pages that were requested before the latest join are ignored.
 * - A push that does not arrive within `PUSH_GRACE` after the acknowledgement is fetched.
 */

import { requireRequestError } from "../net/request_error.js";
import { HISTORY_PAGE } from "./limits.js";
import { sanitizeReceived } from "./sanitize.js";

export const PAGE_SIZE = 100; // entries
const PUSH_GRACE = 1000; // ms to wait for a push before fetching its entry

/** History requests of one room; each page is applied to its log. */
export class RoomHistory {
  #getLog;
  #getGeneration;
  #request;
  #isJoined;
  #onNewEntries;
  #onChange;
  #isCatchingUp = false;
  #activeFetches = new Set(); // keys of history requests in flight
  #catchUpTimer = 0;

  /**
   * @param {object} options
   * @param {() => import("./room_log.js").RoomLog} options.getLog
   * @param {() => number} options.getGeneration Returns the number of joins and leaves.
   * @param {(range: object) => Promise<any>} options.request Sends a `history` request.
   * @param {() => boolean} options.isJoined Returns whether the room is joined on the current connection.
   * @param {() => void} options.onNewEntries Called after entries were added at the end of the log.
   * @param {() => void} options.onChange
   */
  constructor({ getLog, getGeneration, request, isJoined, onNewEntries, onChange }) {
    this.#getLog = getLog;
    this.#getGeneration = getGeneration;
    this.#request = request;
    this.#isJoined = isJoined;
    this.#onNewEntries = onNewEntries;
    this.#onChange = onChange;
  }

  /** Cancel a scheduled fetch. */
  stop() {
    clearTimeout(this.#catchUpTimer);
  }

  /**
   * Load the page before the oldest loaded entry; without effect during the same request, and while the room is not joined.
   * @returns {Promise<boolean>} True if a page was applied; false otherwise, including after an error, which is ignored.
   */
  loadOlder() {
    if (!this.#getLog().hasOlder) return Promise.resolve(false);
    return this.#fetchHistory("older", { before: this.#getLog().firstSeq });
  }

  /**
   * Load one page at an end of a gap; without effect during a request for the same gap, and while the room is not joined.
   * @param {{after: number, before: number}} gap Exclusive bounds.
   * @param {boolean} oldestFirst Load the older end; false for the newer end.
   * @returns {Promise<boolean>} True if a page was applied; false otherwise, including after an error, which is ignored.
   */
  fillGap({ after, before }, oldestFirst) {
    const limit = Math.min(PAGE_SIZE, before - after - 1);
    return this.#fetchHistory(`gap ${after}`, { ...(oldestFirst ? { after } : { before }), limit });
  }

  /**
   * Load the entries around `seq`, or the missing entries up to the live end, unless `seq` is loaded; errors are ignored.
   * @returns {Promise<boolean>} True if the log contains `seq` afterwards.
   */
  async loadAround(seq) {
    if (!this.#getLog().has(seq)) await this.#fetchHistory(`around ${seq}`, { around: seq });
    if (!this.#getLog().has(seq)) await this.catchUp(); // the entry is newer than the live end
    return this.#getLog().has(seq);
  }

  /** Record that the server has this entry; fetch the entry unless its push arrives within `PUSH_GRACE`. */
  expectEntry(seq) {
    this.#getLog().expectSeq(seq);
    this.#scheduleCatchUp();
  }

  /**
   * Load the missing entries after the live end, page by page; without effect during another call, and while the room is not
   * joined. An error other than a lost connection schedules another call after `PUSH_GRACE`.
   */
  async catchUp() {
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    try {
      for (;;) {
        const after = this.#getLog().missingAfter;
        if (after === null || !this.#isJoined()) break;
        const page = await this.#request({ after, limit: HISTORY_PAGE });
        this.#applyPage(page, { after });
        this.#onNewEntries();
        this.#onChange();
        if (this.#getLog().lastSeq === after) break;
      }
    } catch (error) {
      if (requireRequestError(error).code !== "offline") this.#scheduleCatchUp();
    } finally {
      this.#isCatchingUp = false;
    }
  }

  /** Request and apply a page, unless a request with this key is in flight; see `loadOlder`. */
  async #fetchHistory(key, range) {
    if (this.#activeFetches.has(key) || !this.#isJoined()) return false;
    this.#activeFetches.add(key);
    const generation = this.#getGeneration();
    try {
      const page = await this.#request({ limit: PAGE_SIZE, ...range });
      if (generation !== this.#getGeneration()) return false;
      this.#applyPage(page, range);
      this.#onChange();
      return true;
    } catch (error) {
      requireRequestError(error); // the next scroll event retries
      return false;
    } finally {
      this.#activeFetches.delete(key);
    }
  }

  #applyPage(page, range) {
    this.#getLog().applyPage({ ...page, messages: page.messages.map(sanitizeReceived) }, range);
  }

  /** Call `catchUp` after `PUSH_GRACE` if entries are missing. */
  #scheduleCatchUp() {
    clearTimeout(this.#catchUpTimer);
    if (this.#getLog().missingAfter !== null) this.#catchUpTimer = setTimeout(() => this.catchUp(), PUSH_GRACE);
  }
}
