/**
 * Socket.IO connection with automatic reconnect.
 *
 * - No queue: requests fail immediately while disconnected, and callers decide about retries.
 * - Liveness: while a request waits for its response, a transport that receives nothing for ten to twenty seconds is closed,
 *   and a reconnect follows.
 */

import { io } from "../vendor/socket.io.esm.min.js";
import { Backoff, STABLE_AFTER } from "./backoff.js";
import { RequestError } from "./request_error.js";
import { CONNECT_TIMEOUT, RESPONSE_TIMEOUT } from "./timeouts.js";

const PUSHES = ["message", "update", "presence", "typing", "readMarker", "blocks", "roomRemoved", "directRoom", "error", "goingAway"];

/**
 * @typedef {object} Connection
 * @property {"connecting" | "online" | "offline"} state
 * @property {number} [retryAt] Time of the next attempt while offline, in ms since the epoch.
 */

/** Connection to the server of the page, initially stopped. */
export class ChatSocket {
  #socket;
  #onState;
  #started = false;
  #backoff = new Backoff(Math.random);
  #retryTimer = 0;
  #connectedAt = 0; // ms since the epoch
  #lastReceivedAt = 0; // ms since the epoch

  /**
   * @param {object} options
   * @param {(connection: Connection) => void} options.onState
   * @param {(event: string, body: object) => void} options.onPush
   * @param {string} options.token Token of the account; empty for a guest.
   * @param {() => void} options.onAuthFail Called after the server has rejected or revoked the token; the connection is
   *   closed and stays closed.
   */
  constructor({ onState, onPush, token, onAuthFail }) {
    this.#onState = onState;
    this.#socket = io({
      path: new URL("socket.io/", location.href).pathname, // the page may be below a path of a reverse proxy
      autoConnect: false,
      reconnection: false, // reconnects are scheduled here, because the UI shows a countdown
      transports: ["websocket", "polling"],
      tryAllTransports: true,
      timeout: CONNECT_TIMEOUT * 1000,
      auth: token ? { token } : {},
    });
    this.#socket.on("authFail", () => {
      this.stop();
      onAuthFail();
    });
    this.#socket.on("connect", () => {
      this.#connectedAt = this.#lastReceivedAt = Date.now();
      this.#socket.io.engine.on("packet", () => (this.#lastReceivedAt = Date.now()));
      this.#onState({ state: "online" });
    });
    this.#socket.on("connect_error", ({ message }) => {
      // Some proxies accept the WebSocket upgrade and then drop all frames; start with polling next time.
      if (message === "timeout") this.#socket.io.opts.transports.reverse();
      this.#scheduleReconnect();
    });
    this.#socket.on("disconnect", () => {
      if (Date.now() - this.#connectedAt >= STABLE_AFTER * 1000) this.#backoff.resetFailures();
      this.#scheduleReconnect();
    });
    for (const event of PUSHES) {
      this.#socket.on(event, (body) => {
        if (event === "goingAway") this.#backoff.setAnnouncedDelay(Number(body?.reconnectAfter) || 0);
        else if (body && typeof body === "object") onPush(event, body);
      });
    }
  }

  /** True while the socket is connected. */
  get isOnline() {
    return this.#socket.connected;
  }

  /** Connect, and reconnect until `stop()`. */
  start() {
    if (this.#started) return;
    this.#started = true;
    this.#connect();
  }

  /** Disconnect, and cancel a scheduled reconnect. A WebSocket that is opening is closed after its opening. */
  stop() {
    this.#started = false;
    clearTimeout(this.#retryTimer);
    const { engine } = this.#socket.io;
    // Browsers report an error in the console if a WebSocket is closed while it opens.
    if (engine?.readyState === "opening") engine.once("open", () => this.#socket.disconnect());
    else this.#socket.disconnect();
  }

  /** Connect before the end of the backoff delay; without effect on a connected, connecting or stopped socket. */
  reconnectNow() {
    if (this.#started && !this.#socket.active) this.#connect();
  }

  /**
   * Emit a request.
   * @param {string} event
   * @param {object} body
   * @returns {Promise<any>} Body of the acknowledgement.
   * @throws {RequestError} The error of the acknowledgement; `offline` without a connection, or if it ends before the response.
   */
  async request(event, body) {
    if (!this.#socket.connected) throw new RequestError("offline", { message: "not connected" });
    const response = await this.#emitWithAck(event, body);
    if (response?.ok === true) return response;
    const { code = "internal", ...details } = response?.error ?? {};
    throw new RequestError(code, details);
  }

  /** Send an event without acknowledgement; drop the event while disconnected. */
  send(event, body) {
    if (this.#socket.connected) this.#socket.emit(event, body);
  }

  /** Emit a request, and wait for its acknowledgement while the connection is alive. */
  #emitWithAck(event, body) {
    return new Promise((resolve, reject) => {
      let waitingSince = Date.now();
      const fail = (message) => {
        clearInterval(timer);
        this.#socket.off("disconnect", onDisconnect);
        reject(new RequestError("offline", { message }));
      };
      const onDisconnect = () => fail("connection closed");
      const timer = setInterval(() => {
        if (this.#lastReceivedAt >= waitingSince) waitingSince = Date.now();
        else {
          fail("no response and no traffic");
          this.#socket.io.engine.close();
        }
      }, RESPONSE_TIMEOUT * 1000);
      this.#socket.on("disconnect", onDisconnect);
      this.#socket.emit(event, body, (response) => {
        clearInterval(timer);
        this.#socket.off("disconnect", onDisconnect);
        resolve(response);
      });
    });
  }

  /** Connect now, in place of a scheduled reconnect. */
  #connect() {
    clearTimeout(this.#retryTimer);
    this.#onState({ state: "connecting" });
    this.#socket.connect();
  }

  /** Close the transport, and connect again after the backoff delay unless stopped. */
  #scheduleReconnect() {
    // A rejected CONNECT packet leaves the transport open otherwise.
    this.#socket.disconnect();
    if (!this.#started) return;
    const delay = this.#backoff.nextDelay() * 1000;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#connect(), delay);
    this.#onState({ state: "offline", retryAt: Date.now() + delay });
  }
}
