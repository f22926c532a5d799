/**
 * What you have said, changed or chosen in one room and the server has not yet confirmed.
 *
 * Rule 1  One post is under way at a time, so that yours keep their order.
 * Rule 2  A post keeps its `clientId` through every attempt, so that the room gets
 *         it once (docs/protocol.md, "sendMessage").
 * Rule 3  What is not confirmed is in the store before it is sent, and leaves it
 *         when the server has it.
 * Rule 4  Without a connection, or while the server is busy, it waits; only a
 *         refusal makes it failed, and then it stays until you retry or discard it.
 */

/**
 * @typedef {object} Post
 * @property {string} clientId
 * @property {"sendMessage" | "editMessage" | "deleteMessage" | "react"} event
 * @property {object} body The request's fields, without `room`.
 * @property {number} ts When you said it, on this machine's clock, in ms.
 * @property {"pending" | "sent" | "failed"} state
 * @property {boolean} tried It may have reached the server.
 * @property {number} [seq] The entry that it became, once known.
 * @property {string} [code] Why it failed.
 */

const RETRYABLE_CODES = new Set(["rate_limited", "unavailable"]);
const MAX_INTERNAL_ERRORS = 3; // of the server, for one post
const RETRY_DELAY = 2; // s, where the server names none
const MAX_RETRY_DELAY = 30; // s

export class Outbox {
  /** @type {Post[]} */
  #items = [];
  /** @type {Map<number, Post[]> | null} */
  #changesBySeq = null;
  #request;
  #store;
  #onChange;
  #isSending = false;
  #isClosed = false;

  /**
   * @param {object} to
   * @param {(post: Post) => Promise<number>} to.request Sends one; gives the `seq` of its entry, may throw a Refusal.
   * @param {{put: (post: Post) => void, drop: (clientId: string) => void}} to.store
   * @param {(confirmed: number | null) => void} to.onChange Something is different; a `seq` that was confirmed.
   */
  constructor({ request, store, onChange }) {
    this.#request = request;
    this.#store = store;
    this.#onChange = onChange;
  }

  /** What is not in the log yet, in the order you said it. Not to be changed. */
  get items() {
    return this.#items;
  }

  /** What is under way for messages that are in the log, by their `seq`. Not to be changed. */
  get changesBySeq() {
    if (!this.#changesBySeq) {
      this.#changesBySeq = new Map();
      for (const item of this.#items) {
        if (item.event === "sendMessage") continue;
        this.#changesBySeq.set(item.body.seq, [...(this.#changesBySeq.get(item.body.seq) ?? []), item]);
      }
    }
    return this.#changesBySeq;
  }

  add(clientId, event, body, ts) {
    const item = { clientId, event, body, ts, state: "pending", attempted: false };
    this.#store.save(item);
    this.#items = [...this.#items, item];
    this.#notify();
  }

  /** Takes in what an earlier page left unsent. It may or may not have arrived. */
  adopt(items) {
    const knownIds = new Set(this.#items.map(({ clientId }) => clientId));
    const added = items.filter(({ clientId }) => !knownIds.has(clientId));
    if (!added.length) return;
    this.#items = [...added, ...this.#items];
    this.#notify();
  }

  retry(clientId) {
    this.#update(clientId, { state: "pending", code: undefined });
  }

  /** @returns {Post | undefined} What was taken out. */
  discard(clientId) {
    const item = this.#items.find((candidate) => candidate.clientId === clientId);
    this.#store.delete(clientId);
    this.#items = this.#items.filter((candidate) => candidate !== item);
    this.#notify();
    return item;
  }

  /** Sends nothing more, and stores nothing more. */
  close() {
    this.#isClosed = true;
  }

  /** A message of your own is in the log: it may be one whose answer has not come. */
  onOwnMessage(seq, text) {
    if (this.#items.some((candidate) => candidate.seq === seq)) return;
    const match = this.#items.find(
      (candidate) => candidate.event === "sendMessage" && candidate.attempted && candidate.seq === undefined && candidate.body.message === text,
    );
    if (match) this.#update(match.clientId, { seq });
  }

  /**
   * Lets go of what was confirmed and has come.
   * @param {(seq: number) => boolean} held Whether the log holds that entry.
   */
  removeDelivered(isHeld) {
    const isDelivered = ({ state, seq }) => state === "sent" && isHeld(seq);
    if (!this.#items.some(isDelivered)) return;
    this.#items = this.#items.filter((item) => !isDelivered(item));
    this.#notify();
  }

  /** Sends what waits, one after another, until there is none or no connection. */
  async flush() {
    if (this.#isSending || this.#isClosed) return;
    this.#isSending = true;
    try {
      for (let failures = 0; ; ) {
        const next = this.#items.find(({ state }) => state === "pending");
        if (!next || this.#isClosed) break;
        this.#update(next.clientId, { attempted: true });
        try {
          const seq = await this.#request(next);
          failures = 0;
          if (!this.#isClosed) this.#store.delete(next.clientId);
          this.#update(next.clientId, { state: "sent", seq }, seq);
        } catch (error) {
          if (error.code === "offline") break;
          failures += 1;
          if (RETRYABLE_CODES.has(error.code) || (error.code === "internal" && failures < MAX_INTERNAL_ERRORS)) {
            await sleep(error.retryAfter ?? Math.min(MAX_RETRY_DELAY, RETRY_DELAY * failures));
          } else {
            failures = 0;
            this.#update(next.clientId, { state: "failed", code: error.code, attempted: false, seq: undefined });
          }
        }
      }
    } finally {
      this.#isSending = false;
    }
  }

  #update(clientId, fields, confirmedSeq = null) {
    const updated = this.#items.map((candidate) => (candidate.clientId === clientId ? { ...candidate, ...fields } : candidate));
    const item = updated.find((candidate) => candidate.clientId === clientId);
    if (!item) return; // discarded meanwhile
    this.#items = updated;
    if (item.state !== "sent" && !this.#isClosed) this.#store.save(item);
    this.#notify(confirmedSeq);
  }

  #notify(confirmedSeq = null) {
    this.#changesBySeq = null;
    if (!this.#isClosed) this.#onChange(confirmedSeq);
  }
}

function sleep(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
