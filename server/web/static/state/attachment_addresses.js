/**
 * Signed addresses of files (docs/protocol.md, "Attachments").
 *
 * - Batches: the paths of one task of the event loop share a request, within the limits of a request.
 * - Cache: an address is reused until it expires, by the clock of the browser.
 * - Connection: a guest has access after the first join only, so paths wait until `resume`, even after a reconnect.
 */

import { requireRequestError } from "../net/request_error.js";
import { SIGNED_PATHS } from "./limits.js";

const MAX_BATCH_CHARACTERS = 32_000; // of paths in one request; a packet has at most 64 KiB
const SIGN_RETRY_DELAY = 2; // s, after a temporary error without `retryAfter`
const MIN_LIFETIME = 60_000; // ms; bounds the requests of a browser with a fast clock
const MAX_LIFETIME = 3_600_000; // ms; guaranteed by the server

/** @typedef {{promise: Promise<string | null>, resolve: (url: string | null) => void}} Waiting */

/** Addresses of the files of one session by path, initially paused. */
export class AttachmentAddresses {
  #request;
  #now;
  /** @type {Map<string, {url: string, expiresAt: number}>} */
  #addresses = new Map();
  /** @type {Map<string, Waiting>} */
  #waiting = new Map();
  #isPaused = true;
  #isLoading = false;
  #timer = 0;

  /**
   * @param {object} options
   * @param {(paths: string[]) => Promise<{urls: (string | null)[], expiresAt: number}>} options.request
   * @param {() => number} [options.now] Clock in ms since the epoch.
   */
  constructor({ request, now = Date.now }) {
    this.#request = request;
    this.#now = now;
  }

  /**
   * Return the known address of a path; null without a valid one.
   * @param {string} path
   */
  find(path) {
    const known = this.#addresses.get(path);
    return known && known.expiresAt > this.#now() ? known.url : null;
  }

  /**
   * Return the address of a path, known or requested; null without access or after a final error. The promise is pending
   * while the requests are paused, and while a temporary error is retried.
   * @param {string} path
   * @returns {Promise<string | null>}
   */
  async load(path) {
    const url = this.find(path);
    if (url !== null) return url;
    const waiting = this.#waiting.get(path) ?? createWaiting();
    this.#waiting.set(path, waiting);
    this.#schedule(0);
    return waiting.promise;
  }

  /**
   * Discard an address that the server has rejected.
   * @param {string} path
   */
  forget(path) {
    this.#addresses.delete(path);
  }

  /** Send requests for the waiting paths; called after a join. */
  resume() {
    this.#isPaused = false;
    this.#schedule(0);
  }

  /** Send no further request until `resume`; called after a disconnect. */
  pause() {
    this.#isPaused = true;
  }

  /** @param {number} delay Seconds. */
  #schedule(delay) {
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#loadWaiting();
    }, delay * 1000);
  }

  /** Request the waiting paths in batches. After a temporary error, the remaining paths are requested again later. */
  async #loadWaiting() {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      while (this.#waiting.size && !this.#isPaused) await this.#loadBatch(firstBatch([...this.#waiting.keys()]));
    } catch (thrown) {
      const error = requireRequestError(thrown);
      if (error.isTemporary) this.#schedule(error.retryAfter ?? SIGN_RETRY_DELAY);
    } finally {
      this.#isLoading = false;
    }
  }

  /** @param {string[]} paths */
  async #loadBatch(paths) {
    /** @type {(string | null)[]} */
    let urls = [];
    try {
      const response = await this.#request(paths);
      urls = response.urls;
      this.#store(paths, urls, response.expiresAt);
    } catch (thrown) {
      const error = requireRequestError(thrown);
      if (error.isTemporary || error.code === "offline") throw error;
    }
    for (const [index, path] of paths.entries()) {
      this.#waiting.get(path)?.resolve(urls[index] ?? null);
      this.#waiting.delete(path);
    }
  }

  /** Store addresses with a lifetime within the limits, and drop the expired ones. */
  #store(paths, urls, serverExpiresAt) {
    const now = this.#now();
    const expiresAt = now + Math.min(MAX_LIFETIME, Math.max(MIN_LIFETIME, serverExpiresAt - now));
    for (const [path, address] of this.#addresses) if (address.expiresAt <= now) this.#addresses.delete(path);
    for (const [index, path] of paths.entries()) if (urls[index]) this.#addresses.set(path, { url: urls[index], expiresAt });
  }
}

/** @returns {Waiting} */
function createWaiting() {
  /** @type {Waiting["resolve"]} */
  let resolve = () => {};
  const promise = new Promise((onResolved) => (resolve = onResolved));
  return { promise, resolve };
}

/** Return the first paths that fit into one request, at least one. */
function firstBatch(paths) {
  const batch = [];
  let characters = 0;
  for (const path of paths.slice(0, SIGNED_PATHS)) {
    characters += path.length;
    if (batch.length && characters > MAX_BATCH_CHARACTERS) break;
    batch.push(path);
  }
  return batch;
}
