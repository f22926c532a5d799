/**
 * Connection status, reconnect countdown, and short-lived toast messages.
 */

import { strings } from "../i18n/strings.js";
import { setText } from "./dom.js";

const TOAST_DURATION = 6000; // ms

const toastElement = document.getElementById("toast");
const shownTexts = new Set();
let toastTimer = 0;

export class ConnectionStatus {
  #getSession;
  #element = document.getElementById("connection");
  #banner = document.getElementById("offline-banner");
  #countdown = document.getElementById("retry-countdown");

  /** @param {() => import("../state/chat_session.js").ChatSession | null} getSession */
  constructor(getSession) {
    this.#getSession = getSession;
    document.getElementById("retry-now").addEventListener("click", () => getSession()?.reconnectNow());
    setInterval(() => this.#updateCountdown(), 500);
  }

  render() {
    const { state } = this.#getSession().connection;
    this.#element.dataset.state = state;
    setText(document.getElementById("connection-text"), strings[state]);
    this.#banner.hidden = state === "online";
    this.#updateCountdown();
  }

  #updateCountdown() {
    const { state, retryAt } = this.#getSession()?.connection ?? {};
    if (this.#banner.hidden) return;
    const seconds = state === "offline" ? Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)) : 0;
    setText(this.#countdown, seconds > 1 ? strings.retryIn(seconds) : strings.connecting);
  }
}

/**
 * Show a message for a few seconds.
 * @param {string} text
 * @param {{once?: boolean}} [options] `once` suppresses repetitions until the page is reloaded.
 */
export function showToast(text, { once = false } = {}) {
  if (once && shownTexts.has(text)) return;
  shownTexts.add(text);
  clearTimeout(toastTimer);
  toastElement.textContent = text;
  toastElement.hidden = false;
  toastTimer = setTimeout(() => (toastElement.hidden = true), TOAST_DURATION);
}
