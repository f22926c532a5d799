/**
 * Page title, favicon and desktop notifications.
 *
 * - Messages of a room within `BATCH_DELAY` share one notification.
 * - Message text is omitted if the user has hidden message text in the settings.
 */

import { strings } from "../i18n/strings.js";
import { localStore } from "../state/storage.js";
import { requireElement } from "./dom.js";
import { excerpt } from "./render_line.js";

const BATCH_DELAY = 1000; // ms

/** Notifications of one page, with title and favicon. */
export class Notifier {
  #onOpen;
  #queue = new Map(); // room → messages
  #timer = 0;
  #favicon = requireElement("favicon", HTMLLinkElement);
  #icons = createIconUrls(this.#favicon.href);
  #icon = "none";

  /** @param {(room: import("../state/room.js").Room) => void} onOpen Called when a notification is clicked. */
  constructor(onOpen) {
    this.#onOpen = onOpen;
  }

  /** True in secure contexts of browsers with notifications. */
  get isSupported() {
    return globalThis.isSecureContext && typeof globalThis.Notification === "function";
  }

  /** True if the user and the browser both allow notifications. */
  get isEnabled() {
    return this.isSupported && Notification.permission === "granted" && localStore.get("notify", false);
  }

  /** True if notifications omit the message text. */
  get isTextHidden() {
    return localStore.get("notifyHideText", false);
  }

  set isTextHidden(isHidden) {
    localStore.set("notifyHideText", isHidden);
  }

  /** Turn notifications on or off, and store the setting; asks the browser for permission, whose denial turns them off. */
  async setEnabled(isEnabled) {
    const isAllowed = isEnabled && this.isSupported && (await Notification.requestPermission()) === "granted";
    localStore.set("notify", isAllowed);
  }

  /**
   * Queue messages of a room for a notification; no effect while notifications are off.
   * @param {import("../state/room.js").Room} room
   * @param {any[]} messages Possibly empty.
   */
  add(room, messages) {
    if (!messages.length || !this.isEnabled) return;
    this.#queue.set(room, [...(this.#queue.get(room) ?? []), ...messages]);
    this.#timer ||= setTimeout(() => this.#showNotifications(), BATCH_DELAY);
  }

  /** Set the page title, and the favicon for mentions, for unread messages or for neither. */
  updateBadge({ title, unreadCount, mentionCount }) {
    document.title = title;
    const icon = mentionCount ? "mention" : unreadCount ? "unread" : "none";
    if (icon === this.#icon) return;
    this.#icon = icon;
    this.#favicon.href = this.#icons[icon];
  }

  /** Show one notification for each queued room, with up to three messages. */
  #showNotifications() {
    this.#timer = 0;
    for (const [room, messages] of this.#queue) {
      const title = this.#createTitle(room, messages);
      const body = this.isTextHidden ? "" : messages.map(excerpt).slice(-3).join("\n");
      try {
        const notification = new Notification(title, { body, tag: room.name, icon: this.#icons.none, lang: strings.lang });
        notification.addEventListener("click", () => {
          globalThis.focus();
          notification.close();
          this.#onOpen(room);
        });
      } catch {
        // Some mobile browsers restrict notifications to service workers; title and favicon still update.
      }
    }
    this.#queue.clear();
  }

  /** Return the title. That of one direct message is its author, because the name of a direct room consists of its members. */
  #createTitle({ displayName, access: { isDirect } }, messages) {
    const [{ nickName }] = messages;
    if (messages.length === 1 && !this.isTextHidden) return isDirect ? nickName : strings.notifyTitle(nickName, displayName);
    return (isDirect ? strings.notifyDirectCount : strings.notifyMentionCount)(messages.length, displayName);
  }
}

/**
 * Return the URLs of the icons by state.
 * @param {string} url URL of the icon without unread messages.
 */
function createIconUrls(url) {
  return { none: url, unread: new URL("icon-unread.svg", url).href, mention: new URL("icon-mention.svg", url).href };
}
