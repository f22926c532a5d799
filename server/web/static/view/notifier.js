/**
 * What you are told while you look elsewhere: the title, the icon, and, if you want
 * them, notifications.
 *
 * Rule 1  A notification is only for messages that name you, and only while the page
 *         is not looked at; what comes close together is one.
 * Rule 2  It shows what was said only where you have not asked it to hide that.
 */

import { words } from "../i18n/strings.js";
import { lasting } from "../state/storage.js";
import { inOneLine } from "./render_line.js";

const GATHERED = 1000; // ms
const icon = (name) => new URL(`../${name}`, import.meta.url).pathname;
const ICONS = { none: icon("icon.svg"), unread: icon("icon-unread.svg"), named: icon("icon-named.svg") };

export class Notifier {
  #onOpen;
  #waiting = new Map(); // room → messages that name you
  #timer = 0;
  #icon = "none";

  /** @param {(room: import("../state/room.js").Room) => void} onOpen A notification was chosen. */
  constructor(onOpen) {
    this.#onOpen = onOpen;
  }

  /** Whether this browser can, here. */
  get possible() {
    return globalThis.isSecureContext && typeof globalThis.Notification === "function";
  }

  /** Whether you want them, and the browser lets them through. */
  get wanted() {
    return this.possible && Notification.permission === "granted" && lasting.get("notify", false);
  }

  get hidesText() {
    return lasting.get("notify-hide", false);
  }

  set hidesText(hides) {
    lasting.put("notify-hide", hides);
  }

  /** Wants them, or does not; asks the browser where that was not done. */
  async want(wanted) {
    const allowed = wanted && this.possible && (await Notification.requestPermission()) === "granted";
    lasting.put("notify", allowed);
  }

  /** Some messages name you in a room, while nobody looks. */
  named(room, messages) {
    if (!messages.length || !this.wanted) return;
    this.#waiting.set(room, [...(this.#waiting.get(room) ?? []), ...messages]);
    this.#timer ||= setTimeout(() => this.#tell(), GATHERED);
  }

  /** Puts what is unread where it is seen from afar. */
  badge({ title, unread, named }) {
    document.title = title;
    const icon = named ? "named" : unread ? "unread" : "none";
    if (icon === this.#icon) return;
    this.#icon = icon;
    document.getElementById("icon").href = ICONS[icon];
  }

  #tell() {
    this.#timer = 0;
    for (const [room, messages] of this.#waiting) {
      const one = messages.length === 1 && !this.hidesText;
      const title = one ? words.notifySaid(messages[0].nickName, room.name) : words.notifyNamed(messages.length, room.name);
      const body = this.hidesText ? "" : messages.map(inOneLine).slice(-3).join("\n");
      try {
        const told = new Notification(title, { body, tag: room.name, icon: ICONS.none, lang: words.lang });
        told.addEventListener("click", () => {
          globalThis.focus();
          told.close();
          this.#onOpen(room);
        });
      } catch {
        // Some phones let only a service worker do it: the title and the icon remain.
      }
    }
    this.#waiting.clear();
  }
}
