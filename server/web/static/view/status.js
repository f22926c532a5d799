/**
 * How the connection is, in a word; and while there is none, when it is tried again.
 */

import { words } from "../i18n/strings.js";
import { say } from "./dom.js";

export class ConnectionLine {
  #chat;
  #line = document.getElementById("connection");
  #banner = document.getElementById("banner");
  #countdown = document.getElementById("countdown");

  /** @param {() => import("../state/chat_session.js").Chat | null} chat */
  constructor(chat) {
    this.#chat = chat;
    document.getElementById("try-now").addEventListener("click", () => chat()?.hurry());
    setInterval(() => this.#count(), 500);
  }

  draw() {
    const { name } = this.#chat().connection;
    this.#line.dataset.state = name;
    say(document.getElementById("connection-text"), words[name]);
    this.#banner.hidden = name === "online";
    this.#count();
  }

  #count() {
    const { name, retryAt } = this.#chat()?.connection ?? {};
    if (this.#banner.hidden) return;
    const seconds = name === "offline" ? Math.max(0, Math.ceil((retryAt - Date.now()) / 1000)) : 0;
    say(this.#countdown, seconds > 1 ? words.retryIn(seconds) : words.connecting);
  }
}

const LASTS = 6000; // ms

const line = document.getElementById("toast");
const told = new Set();
let timer = 0;

/** @param {{once?: boolean}} [how] Once: not again while the page lives. */
export function toast(text, { once = false } = {}) {
  if (once && told.has(text)) return;
  told.add(text);
  clearTimeout(timer);
  line.textContent = text;
  line.hidden = false;
  timer = setTimeout(() => (line.hidden = true), LASTS);
}
