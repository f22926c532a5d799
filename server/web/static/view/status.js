/** Connection status, reconnect countdown, and toast messages. */

import { strings } from "../i18n/strings.js";
import { requireElement, setText } from "./dom.js";

const TOAST_DURATION = 6000; // ms

const toastElement = requireElement("toast");
const shownTexts = new Set();
let toastTimer = 0;

/** Connection state in the header, and banner with the countdown. */
export class ConnectionStatus {
  #getSession;
  #element = requireElement("connection");
  #banner = requireElement("offline-banner");
  #countdown = requireElement("retry-countdown");

  /** @param {() => import("../state/chat_session.js").ChatSession | null} getSession */
  constructor(getSession) {
    this.#getSession = getSession;
    requireElement("retry-now", HTMLButtonElement).addEventListener("click", () => getSession()?.reconnectNow());
    setInterval(() => this.#updateCountdown(), 500);
  }

  /** Show the connection state, and the banner unless the session is online. */
  render() {
    const state = this.#getSession()?.connection.state ?? "connecting";
    this.#element.dataset.state = state;
    setText(requireElement("connection-text"), strings[state]);
    this.#banner.hidden = state === "online";
    this.#updateCountdown();
  }

  #updateCountdown() {
    if (this.#banner.hidden) return;
    const retryAt = this.#getSession()?.connection.retryAt ?? 0;
    const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
    setText(this.#countdown, seconds > 1 ? strings.retryIn(seconds) : strings.connecting);
  }
}

// Move the toast out of a closing dialog. The listener captures, because the event does not bubble.
document.addEventListener("close", ({ target }) => target instanceof Element && target.contains(toastElement) && placeToast(), { capture: true });

/** Move the toast to the dialog with the focus, because a modal dialog covers the rest of the page. */
function placeToast() {
  const parent = document.activeElement?.closest("dialog[open]") ?? document.body;
  if (toastElement.parentElement !== parent) parent.append(toastElement); // a moved live region may stay unannounced
}

/**
 * Show a message for `TOAST_DURATION` in place of an earlier one; in the dialog with the focus, and in the page after
 * the dialog closes.
 * @param {string} text
 * @param {{once?: boolean}} [options] `once` shows nothing if the text was shown since the page was loaded.
 */
export function showToast(text, { once = false } = {}) {
  if (once && shownTexts.has(text)) return;
  shownTexts.add(text);
  clearTimeout(toastTimer);
  placeToast();
  toastElement.textContent = text;
  toastElement.hidden = false;
  toastTimer = setTimeout(() => (toastElement.hidden = true), TOAST_DURATION);
}
