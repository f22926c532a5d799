/**
 * Connection status, reconnect countdown, and short-lived toast messages.
 */

import { strings } from "../i18n/strings.js";
import { setText } from "./dom.js";

const TOAST_DURATION = 6000; // ms

const toastElement = document.getElementById("toast");
const shownOnce = new Set();
let toastTimer = 0;

export class ConnectionStatus {
  #session;
  #element = document.getElementById("connection");
  #banner = document.getElementById("offline-banner");
  #countdown = document.getElementById("retry-countdown");

  /** @param {() => import("../state/chat_session.js").ChatSession | null} session */
  constructor(session) {
    this.#session = session;
    document.getElementById("retry-now").addEventListener("click", () => session()?.reconnectNow());
    setInterval(() => this.#updateCountdown(), 500);
  }

  render() {
    const { name } = this.#session().connection;
    this.#element.dataset.state = name;
    setText(document.getElementById("connection-text"), strings[name]);
    this.#banner.hidden = name === "online";
    this.#updateCountdown();
  }

  #updateCountdown() {
    const { name, retryAt } = this.#session()?.connection ?? {};
    if (this.#banner.hidden) return;
    const seconds = name === "offline" ? Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)) : 0;
    setText(this.#countdown, seconds > 1 ? strings.retryIn(seconds) : strings.connecting);
  }
}

/**
 * Show a message for a few seconds.
 * @param {string} text
 * @param {{once?: boolean}} [options] `once` suppresses repetitions until the page is reloaded.
 */
export function showToast(text, { once = false } = {}) {
  if (once && shownOnce.has(text)) return;
  shownOnce.add(text);
  clearTimeout(toastTimer);
  toastElement.textContent = text;
  toastElement.hidden = false;
  toastTimer = setTimeout(() => (toastElement.hidden = true), TOAST_DURATION);
}
