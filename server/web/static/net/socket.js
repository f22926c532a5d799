/**
 * The connection: one Socket.IO socket that comes back by itself.
 *
 * Rule 1  Nothing is queued here. A request without a connection fails at once;
 *         who asked knows what to repeat.
 * Rule 2  A server that does not answer is taken for gone: the connection is cut
 *         and made anew, and the room's log and the outbox set things right.
 * Rule 3  Attempts are spread: doubling delays with jitter, and after `goingAway`
 *         not before the server asked for (docs/protocol.md, "Pushes").
 */

import { io } from "../vendor/socket.io.esm.min.js";

const PUSHES = ["message", "update", "presence", "typing", "goingAway"];
const REQUEST_TIMEOUT = 15_000; // ms
const MIN_DELAY = 500; // ms
const MAX_DELAY = 20_000; // ms

/** A request was not done. `code` is the wire's, or `offline` when no answer came. */
export class RequestError extends Error {
  constructor(code, message, retryAfter) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** A refusal is part of the game; anything else is a fault of this page. */
export function ignoreRequestError(error) {
  if (!(error instanceof RequestError)) throw error;
}

export class ChatSocket {
  #socket;
  #onState;
  #started = false;
  #failures = 0;
  #retryTimer = 0;
  #reconnectAfter = null;

  /**
   * @param {object} to
   * @param {(state: {name: "connecting" | "online" | "offline", retryAt?: number}) => void} to.onState
   *   `retryAt` is on `Date.now`'s clock.
   * @param {(event: string, body: object) => void} to.onPush
   */
  constructor({ onState, onPush }) {
    this.#onState = onState;
    this.#socket = io({
      autoConnect: false,
      reconnection: false, // done here, so that the page can say when
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      timeout: 10_000,
    });
    this.#socket.on("connect", () => {
      this.#failures = 0;
      this.#reconnectAfter = null;
      this.#onState({ name: "online" });
    });
    this.#socket.on("connect_error", ({ message }) => {
      // Some networks let a WebSocket open and nothing through: begin with the other transport.
      if (message === "timeout") this.#socket.io.opts.transports.reverse();
      this.#scheduleReconnect();
    });
    this.#socket.on("disconnect", () => this.#scheduleReconnect());
    for (const event of PUSHES) {
      this.#socket.on(event, (body) => {
        if (event === "goingAway") this.#reconnectAfter = Number(body?.reconnectAfter) || 0;
        else if (body && typeof body === "object") onPush(event, body);
      });
    }
  }

  get isOnline() {
    return this.#socket.connected;
  }

  /** Connects, and stays connected until `stop`. */
  start() {
    if (this.#started) return;
    this.#started = true;
    this.#connect();
  }

  stop() {
    this.#started = false;
    clearTimeout(this.#retryTimer);
    this.#socket.disconnect();
  }

  /** Tries now instead of when it would have. */
  reconnectNow() {
    if (this.#started && !this.#socket.active) this.#connect();
  }

  /**
   * @returns {Promise<object>} The answer of a request that was done.
   * @throws {Refusal}
   */
  async request(event, body) {
    if (!this.#socket.connected) throw new RequestError("offline", "not connected");
    let response;
    try {
      response = await this.#socket.timeout(REQUEST_TIMEOUT).emitWithAck(event, body);
    } catch {
      if (this.#socket.connected) this.#socket.io.engine.close();
      throw new RequestError("offline", "no response before the timeout");
    }
    if (response?.ok === true) return response;
    const { code = "internal", message = "", retryAfter } = response?.error ?? {};
    throw new RequestError(code, message, retryAfter);
  }

  /** Sends what needs no answer, if there is a connection. */
  send(event, body) {
    if (this.#socket.connected) this.#socket.emit(event, body);
  }

  #connect() {
    clearTimeout(this.#retryTimer);
    this.#onState({ name: "connecting" });
    this.#socket.connect();
  }

  #scheduleReconnect() {
    // Without this a refused CONNECT would leave its transport open.
    this.#socket.disconnect();
    if (!this.#started) return;
    const backoff = Math.min(MAX_DELAY, MIN_DELAY * 2 ** this.#failures) * (0.5 + Math.random());
    const delay = this.#reconnectAfter === null ? backoff : this.#reconnectAfter * 1000 * (1 + Math.random() / 2);
    this.#reconnectAfter = null;
    this.#failures += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#connect(), delay);
    this.#onState({ name: "offline", retryAt: Date.now() + delay });
  }
}
