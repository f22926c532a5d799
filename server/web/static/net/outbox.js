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

const BUSY = new Set(["rate_limited", "unavailable"]);
const FAULTS_AT_MOST = 3; // of the server, for one post
const PAUSE = 2; // s, where the server names none
const LONGEST_PAUSE = 30; // s

export class Outbox {
  /** @type {Post[]} */
  #waiting = [];
  /** @type {Map<number, Post[]> | null} */
  #changes = null;
  #request;
  #store;
  #onChange;
  #sending = false;
  #closed = false;

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
  get waiting() {
    return this.#waiting;
  }

  /** What is under way for messages that are in the log, by their `seq`. Not to be changed. */
  get changes() {
    if (!this.#changes) {
      this.#changes = new Map();
      for (const post of this.#waiting) {
        if (post.event === "sendMessage") continue;
        this.#changes.set(post.body.seq, [...(this.#changes.get(post.body.seq) ?? []), post]);
      }
    }
    return this.#changes;
  }

  add(clientId, event, body, ts) {
    const post = { clientId, event, body, ts, state: "pending", tried: false };
    this.#store.put(post);
    this.#waiting = [...this.#waiting, post];
    this.#changed();
  }

  /** Takes in what an earlier page left unsent. It may or may not have arrived. */
  adopt(posts) {
    const known = new Set(this.#waiting.map(({ clientId }) => clientId));
    const others = posts.filter(({ clientId }) => !known.has(clientId));
    if (!others.length) return;
    this.#waiting = [...others, ...this.#waiting];
    this.#changed();
  }

  retry(clientId) {
    this.#set(clientId, { state: "pending", code: undefined });
  }

  /** @returns {Post | undefined} What was taken out. */
  discard(clientId) {
    const post = this.#waiting.find((one) => one.clientId === clientId);
    this.#store.drop(clientId);
    this.#waiting = this.#waiting.filter((one) => one !== post);
    this.#changed();
    return post;
  }

  /** Sends nothing more, and stores nothing more. */
  close() {
    this.#closed = true;
  }

  /** A message of your own is in the log: it may be one whose answer has not come. */
  arrived(seq, text) {
    if (this.#waiting.some((one) => one.seq === seq)) return;
    const likely = this.#waiting.find(
      (one) => one.event === "sendMessage" && one.tried && one.seq === undefined && one.body.message === text,
    );
    if (likely) this.#set(likely.clientId, { seq });
  }

  /**
   * Lets go of what was confirmed and has come.
   * @param {(seq: number) => boolean} held Whether the log holds that entry.
   */
  settle(held) {
    const done = ({ state, seq }) => state === "sent" && held(seq);
    if (!this.#waiting.some(done)) return;
    this.#waiting = this.#waiting.filter((post) => !done(post));
    this.#changed();
  }

  /** Sends what waits, one after another, until there is none or no connection. */
  async flush() {
    if (this.#sending || this.#closed) return;
    this.#sending = true;
    try {
      for (let refused = 0; ; ) {
        const next = this.#waiting.find(({ state }) => state === "pending");
        if (!next || this.#closed) break;
        this.#set(next.clientId, { tried: true });
        try {
          const seq = await this.#request(next);
          refused = 0;
          if (!this.#closed) this.#store.drop(next.clientId);
          this.#set(next.clientId, { state: "sent", seq }, seq);
        } catch (refusal) {
          if (refusal.code === "offline") break;
          refused += 1;
          if (BUSY.has(refusal.code) || (refusal.code === "internal" && refused < FAULTS_AT_MOST)) {
            await pause(refusal.retryAfter ?? Math.min(LONGEST_PAUSE, PAUSE * refused));
          } else {
            refused = 0;
            this.#set(next.clientId, { state: "failed", code: refusal.code, tried: false, seq: undefined });
          }
        }
      }
    } finally {
      this.#sending = false;
    }
  }

  #set(clientId, fields, confirmed = null) {
    const after = this.#waiting.map((one) => (one.clientId === clientId ? { ...one, ...fields } : one));
    const post = after.find((one) => one.clientId === clientId);
    if (!post) return; // discarded meanwhile
    this.#waiting = after;
    if (post.state !== "sent" && !this.#closed) this.#store.put(post);
    this.#changed(confirmed);
  }

  #changed(confirmed = null) {
    this.#changes = null;
    if (!this.#closed) this.#onChange(confirmed);
  }
}

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
