/**
 * Socket.IO connection with automatic reconnect.
 *
 * - No queue: requests fail immediately while disconnected, and callers decide about retries.
 * - Liveness: a request timeout closes the transport and starts a reconnect.
 * - Backoff: delays double and carry jitter. After `goingAway`, the first delay is the one that the
 *   server requested (docs/protocol.md, "Pushes").
 */

import { io } from "../vendor/socket.io.esm.min.js";

const PUSHES = ["message", "update", "presence", "typing", "goingAway"];
const REQUEST_TIMEOUT = 15_000; // ms
const MIN_DELAY = 500; // ms
const MAX_DELAY = 20_000; // ms

/** Failed request; `code` is a protocol error code, or `offline` if no response arrived. */
export class RequestError extends Error {
  constructor(code, message, retryAfter) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** Rethrow an error that is not a RequestError, because it is a bug. */
export function rethrowUnlessRequestError(error) {
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
   * @param {object} options
   * @param {(connection: {state: "connecting" | "online" | "offline", retryAt?: number}) => void} options.onState
   *   `retryAt` is in ms since the epoch.
   * @param {(event: string, body: object) => void} options.onPush
   */
  constructor({ onState, onPush }) {
    this.#onState = onState;
    this.#socket = io({
      autoConnect: false,
      reconnection: false, // reconnects are scheduled here, because the UI shows a countdown
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      timeout: 10_000,
    });
    this.#socket.on("connect", () => {
      this.#failures = 0;
      this.#reconnectAfter = null;
      this.#onState({ state: "online" });
    });
    this.#socket.on("connect_error", ({ message }) => {
      // Some proxies accept the WebSocket upgrade and then drop all frames; start with polling next time.
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

  /** Connect and reconnect until `stop()`. */
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

  /** Skip the remaining backoff delay. */
  reconnectNow() {
    if (this.#started && !this.#socket.active) this.#connect();
  }

  /**
   * Emit a request.
   * @returns {Promise<object>} Resolves with the body of a successful acknowledgement.
   * @throws {RequestError}
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

  /** Send an event without acknowledgement; drop the event while disconnected. */
  send(event, body) {
    if (this.#socket.connected) this.#socket.emit(event, body);
  }

  #connect() {
    clearTimeout(this.#retryTimer);
    this.#onState({ state: "connecting" });
    this.#socket.connect();
  }

  #scheduleReconnect() {
    // A rejected CONNECT packet leaves the transport open otherwise.
    this.#socket.disconnect();
    if (!this.#started) return;
    const backoff = Math.min(MAX_DELAY, MIN_DELAY * 2 ** this.#failures) * (0.5 + Math.random());
    const delay = this.#reconnectAfter === null ? backoff : this.#reconnectAfter * 1000 * (1 + Math.random() / 2);
    this.#reconnectAfter = null;
    this.#failures += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#connect(), delay);
    this.#onState({ state: "offline", retryAt: Date.now() + delay });
  }
}
