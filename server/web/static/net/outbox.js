/**
 * Send queue of one room for messages, edits, deletions and reactions.
 *
 * - Ordering: at most one request is in flight.
 * - Idempotency: a retry reuses the `clientId` of its item (docs/protocol.md, "sendMessage"); see `retry` for the exception.
 * - Durability: an item is stored before its first request and deleted after the acknowledgement.
 * - Retries: a temporary error is retried after the delay of `RetryPolicy`, a lost connection by the next `flush`. A final
 *   error marks an item as failed, and the user decides to retry or discard.
 */

/**
 * @typedef {object} OutboxItem
 * @property {string} clientId
 * @property {"sendMessage" | "editMessage" | "deleteMessage" | "react"} event
 * @property {{message?: string, replyTo?: number, attachments?: any[], seq?: number, emoji?: string, on?: boolean}} body Request
 *   fields except `room`; `attachments` are descriptions of files instead of ids.
 * @property {number} ts Creation time on the local clock, in ms.
 * @property {"pending" | "sent" | "failed"} state
 * @property {boolean} attempted True if a request may have reached the server.
 * @property {number} [sentAfter] `seq` of the newest known entry at the first request.
 * @property {number} [seq] Sequence number of the resulting entry, once known.
 * @property {string} [code] Error code of a failed item.
 * @property {string} [reason] See `RequestError`.
 * @property {Record<string, string | number>} [params]
 */

import { requireRequestError } from "./request_error.js";
import { RetryPolicy } from "./retry_policy.js";

const NO_ERROR = { code: undefined, reason: undefined, params: undefined };

/** Items of one room until the log replaces them, and the loop that sends them (`flush`). */
export class Outbox {
  /** @type {OutboxItem[]} */
  #items = [];
  /** @type {Map<number, OutboxItem[]> | null} */
  #changesBySeq = null;
  #request;
  #store;
  #onChange;
  #newId;
  #getLastSeq;
  #sleep;
  #retryPolicy = new RetryPolicy();
  #inFlight = "";
  #isSending = false;
  #isClosed = false;

  /**
   * @param {object} options
   * @param {(item: OutboxItem) => Promise<number>} options.request Send one item and resolve with the `seq` of its
   *   entry; reject with a RequestError.
   * @param {{save: (item: OutboxItem) => void, delete: (clientId: string) => void}} options.store
   * @param {(confirmedSeq: number | null) => void} options.onChange Called after each change, with the `seq` of a
   *   newly acknowledged entry or null.
   * @param {() => string} options.newId Generator of `clientId` values.
   * @param {() => number} options.getLastSeq Returns the `seq` of the newest known entry.
   * @param {(seconds: number) => Promise<void>} [options.sleep]
   */
  constructor({ request, store, onChange, newId, getLastSeq, sleep = wait }) {
    this.#newId = newId;
    this.#getLastSeq = getLastSeq;
    this.#sleep = sleep;
    this.#request = request;
    this.#store = store;
    this.#onChange = onChange;
  }

  /** Items in creation order; acknowledged ones stay until `removeDelivered`. Read only. */
  get items() {
    return this.#items;
  }

  /** Edits, deletions and reactions of `items` by the `seq` of their target. Read only. */
  get changesBySeq() {
    if (!this.#changesBySeq) {
      this.#changesBySeq = new Map();
      for (const item of this.#items) {
        const { seq } = item.body;
        if (seq !== undefined) this.#changesBySeq.set(seq, [...(this.#changesBySeq.get(seq) ?? []), item]);
      }
    }
    return this.#changesBySeq;
  }

  /**
   * Append and store an item; `flush` sends it.
   * @param {OutboxItem["event"]} event
   * @param {OutboxItem["body"]} body
   * @param {number} ts Creation time on the local clock, in ms.
   */
  add(event, body, ts) {
    /** @type {OutboxItem} */
    const item = { clientId: this.#newId(), event, body, ts, state: "pending", attempted: false };
    this.#store.save(item);
    this.#items = [...this.#items, item];
    this.#notify();
  }

  /**
   * Prepend stored items, such as those of a closed tab; items with a known `clientId` are ignored.
   * @param {OutboxItem[]} items
   */
  adopt(items) {
    const knownIds = new Set(this.#items.map(({ clientId }) => clientId));
    const added = items.filter(({ clientId }) => !knownIds.has(clientId));
    if (!added.length) return;
    this.#items = [...added, ...this.#items];
    this.#notify();
  }

  /**
   * Mark a failed item as pending; without effect on other items. After `client_id_in_use`, where the `clientId` belongs to
   * another member, a new item at the end replaces the failed one.
   * @param {string} clientId
   */
  retry(clientId) {
    const item = this.#items.find((candidate) => candidate.clientId === clientId && candidate.state === "failed");
    if (!item) return;
    if (item.reason !== "client_id_in_use") return this.#update(clientId, { state: "pending", ...NO_ERROR });
    this.discard(clientId);
    this.add(item.event, item.body, item.ts);
  }

  /**
   * Remove an item, also from the store, except the one in flight.
   * @param {string} clientId
   * @returns {OutboxItem | undefined} The removed item; undefined if it is in flight or unknown.
   */
  discard(clientId) {
    if (clientId === this.#inFlight) return undefined;
    const item = this.#items.find((candidate) => candidate.clientId === clientId);
    this.#store.delete(clientId);
    this.#items = this.#items.filter((candidate) => candidate !== item);
    this.#notify();
    return item;
  }

  /** Stop sending, saving items and calling `onChange`; the acknowledgement of a request in flight still deletes its item. */
  close() {
    this.#isClosed = true;
  }

  /**
   * Assign the `seq` of a message of the user in the log to the oldest attempted message with the same text and without `seq`,
   * both with or without files. No effect for a message that is older than the first request.
   * @param {number} seq
   * @param {string} text
   * @param {boolean} hasFiles
   */
  onOwnMessage(seq, text, hasFiles) {
    if (this.#items.some((candidate) => candidate.seq === seq)) return;
    const match = this.#items.find(
      ({ event, attempted, sentAfter = 0, seq: knownSeq, body: { message, attachments } }) =>
        event === "sendMessage" && attempted && knownSeq === undefined && seq > sentAfter && message === text && Boolean(attachments) === hasFiles,
    );
    if (match) this.#update(match.clientId, { seq });
  }

  /**
   * Remove acknowledged items that the log replaces.
   * @param {(seq: number, event: OutboxItem["event"]) => boolean} isRedundant Returns whether the log replaces the item with
   *   this event, whose entry has this `seq`.
   */
  removeDelivered(isRedundant) {
    const isDelivered = (/** @type {OutboxItem} */ { state, seq, event }) => state === "sent" && seq !== undefined && isRedundant(seq, event);
    if (!this.#items.some(isDelivered)) return;
    this.#items = this.#items.filter((item) => !isDelivered(item));
    this.#notify();
  }

  /**
   * Send pending items one by one until none is left or the connection is lost; without effect during another call, and
   * after `close`.
   */
  async flush() {
    if (this.#isSending || this.#isClosed) return;
    this.#isSending = true;
    try {
      for (;;) {
        const next = this.#items.find(({ state }) => state === "pending");
        if (!next || this.#isClosed) break;
        this.#update(next.clientId, { attempted: true, sentAfter: next.sentAfter ?? this.#getLastSeq() });
        try {
          this.#inFlight = next.clientId;
          const seq = await this.#request(next);
          this.#retryPolicy.reset();
          this.#store.delete(next.clientId);
          this.#update(next.clientId, { state: "sent", seq }, seq);
        } catch (thrown) {
          const error = requireRequestError(thrown);
          if (error.code === "offline") break;
          this.#inFlight = "";
          const delay = this.#retryPolicy.nextDelay(next.clientId, error);
          const { code, reason, params } = error;
          if (delay === null) this.#update(next.clientId, { state: "failed", code, reason, params, attempted: false, seq: undefined });
          else await this.#sleep(delay);
        }
      }
    } finally {
      this.#inFlight = "";
      this.#isSending = false;
    }
  }

  /**
   * Replace fields of an item, and store the item unless sent; no effect on a removed item.
   * @param {string} clientId
   * @param {Partial<OutboxItem>} fields
   * @param {number | null} [confirmedSeq]
   */
  #update(clientId, fields, confirmedSeq = null) {
    const updated = this.#items.map((candidate) => (candidate.clientId === clientId ? { ...candidate, ...fields } : candidate));
    const item = updated.find((candidate) => candidate.clientId === clientId);
    if (!item) return; // removed during the request
    this.#items = updated;
    if (item.state !== "sent" && !this.#isClosed) this.#store.save(item);
    this.#notify(confirmedSeq);
  }

  /** @param {number | null} [confirmedSeq] */
  #notify(confirmedSeq = null) {
    this.#changesBySeq = null;
    if (!this.#isClosed) this.#onChange(confirmedSeq);
  }
}

/**
 * @param {number} seconds
 * @returns {Promise<void>}
 */
function wait(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
