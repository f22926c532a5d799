/**
 * What you have said and the server has not yet confirmed.
 *
 * Rule 1  One message is under way at a time, so that yours keep their order.
 * Rule 2  A message keeps its `clientId` through every attempt, so that the room
 *         gets it once (docs/protocol.md, "sendMessage").
 * Rule 3  Without a connection it waits; only a refusal makes it failed, and then
 *         it stays until you retry or discard it.
 */

/**
 * @typedef {object} Pending
 * @property {string} clientId
 * @property {string} text
 * @property {number} ts When you said it, on this machine's clock, in ms.
 * @property {"pending" | "sent" | "failed"} state
 * @property {boolean} tried It may have reached the server.
 * @property {number} [seq] Its place in the log, once known.
 * @property {string} [code] Why it failed.
 */

const PASSING = new Set(["rate_limited", "unavailable", "internal"]);
const ATTEMPTS = 6;
const PAUSE = 2; // s, where the server names none

export class Outbox {
  /** @type {Pending[]} */
  #waiting;
  #request;
  #keep;
  #onChange;
  #sending = false;
  #closed = false;

  /**
   * @param {object} to
   * @param {Pending[]} to.waiting What an earlier page left unsent.
   * @param {(clientId: string, text: string) => Promise<{seq: number}>} to.request Sends one; may throw a Refusal.
   * @param {(waiting: Pending[]) => void} to.keep Stores what is not in the log yet.
   * @param {(confirmed: number | null) => void} to.onChange Something is different; a `seq` that was confirmed.
   */
  constructor({ waiting, request, keep, onChange }) {
    // Whatever was under way when the page ended may or may not have arrived.
    this.#waiting = waiting.filter(({ state }) => state !== "sent");
    this.#request = request;
    this.#keep = keep;
    this.#onChange = onChange;
  }

  /** What is not in the log yet, in the order you said it. Not to be changed. */
  get waiting() {
    return this.#waiting;
  }

  add(clientId, text, ts) {
    this.#waiting = [...this.#waiting, { clientId, text, ts, state: "pending", tried: false }];
    this.#changed();
  }

  retry(clientId) {
    this.#set(clientId, { state: "pending", code: undefined });
  }

  discard(clientId) {
    this.#waiting = this.#waiting.filter((one) => one.clientId !== clientId);
    this.#changed();
  }

  /** Sends nothing more, and stores nothing more. */
  close() {
    this.#closed = true;
  }

  /** An own message is in the log: it may be one whose answer has not come. */
  arrived(seq, text) {
    const known = this.#waiting.find((one) => one.seq === seq);
    if (known) return this.discard(known.clientId);
    const likely = this.#waiting.find((one) => one.tried && one.seq === undefined && one.text === text);
    if (likely) this.#set(likely.clientId, { seq });
    return undefined;
  }

  /**
   * Sends what waits, one after another, until there is none or no connection.
   * @param {(seq: number) => boolean} inLog Whether the log holds that entry.
   */
  async flush(inLog) {
    if (this.#sending || this.#closed) return;
    this.#sending = true;
    try {
      let attempts = 0;
      for (;;) {
        const next = this.#waiting.find(({ state }) => state === "pending");
        if (!next || this.#closed) break;
        this.#set(next.clientId, { tried: true });
        try {
          const { seq } = await this.#request(next.clientId, next.text);
          attempts = 0;
          if (inLog(seq)) this.discard(next.clientId);
          else this.#set(next.clientId, { state: "sent", seq }, seq);
        } catch (refusal) {
          if (refusal.code === "offline") break;
          attempts += 1;
          if (PASSING.has(refusal.code) && attempts < ATTEMPTS) {
            await pause(refusal.retryAfter ?? PAUSE);
          } else {
            attempts = 0;
            this.#set(next.clientId, { state: "failed", code: refusal.code, tried: false, seq: undefined });
          }
        }
      }
    } finally {
      this.#sending = false;
    }
  }

  #set(clientId, fields, confirmed = null) {
    this.#waiting = this.#waiting.map((one) => (one.clientId === clientId ? { ...one, ...fields } : one));
    this.#changed(confirmed);
  }

  #changed(confirmed = null) {
    if (this.#closed) return;
    this.#keep(this.#waiting);
    this.#onChange(confirmed);
  }
}

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
