/**
 * What you are told while you look elsewhere: the title, the icon, and, if you want
 * them, notifications.
 *
 * Rule 1  A notification is only for messages that name you, and only while the page
 *         is not looked at; what comes close together is one.
 * Rule 2  It shows what was said only where you have not asked it to hide that.
 */

import { strings } from "../i18n/strings.js";
import { localStore } from "../state/storage.js";
import { excerpt } from "./render_line.js";

const BATCH_DELAY = 1000; // ms
const iconUrl = (name) => new URL(`../${name}`, import.meta.url).pathname;
const ICONS = { none: iconUrl("icon.svg"), unread: iconUrl("icon-unread.svg"), mention: iconUrl("icon-mention.svg") };

export class Notifier {
  #onOpen;
  #queue = new Map(); // room → messages that name you
  #timer = 0;
  #icon = "none";

  /** @param {(room: import("../state/room.js").Room) => void} onOpen A notification was chosen. */
  constructor(onOpen) {
    this.#onOpen = onOpen;
  }

  /** Whether this browser can, here. */
  get isSupported() {
    return globalThis.isSecureContext && typeof globalThis.Notification === "function";
  }

  /** Whether you want them, and the browser lets them through. */
  get isEnabled() {
    return this.isSupported && Notification.permission === "granted" && localStore.get("notify", false);
  }

  get hidesText() {
    return localStore.get("notifyHideText", false);
  }

  set hidesText(isHidden) {
    localStore.set("notifyHideText", isHidden);
  }

  /** Wants them, or does not; asks the browser where that was not done. */
  async setEnabled(isEnabled) {
    const isAllowed = isEnabled && this.isSupported && (await Notification.requestPermission()) === "granted";
    localStore.set("notify", isAllowed);
  }

  /** Some messages name you in a room, while nobody looks. */
  onMentions(room, messages) {
    if (!messages.length || !this.isEnabled) return;
    this.#queue.set(room, [...(this.#queue.get(room) ?? []), ...messages]);
    this.#timer ||= setTimeout(() => this.#showNotifications(), BATCH_DELAY);
  }

  /** Puts what is unread where it is seen from afar. */
  updateBadge({ title, unread, mentions }) {
    document.title = title;
    const icon = mentions ? "mention" : unread ? "unread" : "none";
    if (icon === this.#icon) return;
    this.#icon = icon;
    document.getElementById("favicon").href = ICONS[icon];
  }

  #showNotifications() {
    this.#timer = 0;
    for (const [room, messages] of this.#queue) {
      const showsText = messages.length === 1 && !this.hidesText;
      const title = showsText ? strings.notifyTitle(messages[0].nickName, room.name) : strings.notifyMentionCount(messages.length, room.name);
      const body = this.hidesText ? "" : messages.map(excerpt).slice(-3).join("\n");
      try {
        const notification = new Notification(title, { body, tag: room.name, icon: ICONS.none, lang: strings.lang });
        notification.addEventListener("click", () => {
          globalThis.focus();
          notification.close();
          this.#onOpen(room);
        });
      } catch {
        // Some phones let only a service worker do it: the title and the icon remain.
      }
    }
    this.#queue.clear();
  }
}
