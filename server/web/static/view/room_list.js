/**
 * Room list with unread badges; direct rooms have a list of their own.
 */

import { strings } from "../i18n/strings.js";
import { mutedRooms } from "../state/storage.js";
import { createButton, createElement, createIcon, createIconButton, requireElement, setText } from "./dom.js";

const MAX_SHOWN_COUNT = 99;

export class RoomList {
  #list = requireElement("room-list");
  #roomRows = requireElement("room-rows");
  #directRooms = requireElement("direct-rooms");
  #directRoomRows = requireElement("direct-room-rows");
  #badge = requireElement("rooms-badge");
  #onSelect;
  #onLeave;
  #rendered = "";
  /** @type {import("../state/room.js").Room[]} */
  #rooms = []; // of the buttons

  /**
   * @param {object} options
   * @param {(room: import("../state/room.js").Room) => void} options.onSelect
   * @param {(room: import("../state/room.js").Room) => void} options.onLeave
   */
  constructor({ onSelect, onLeave }) {
    this.#onSelect = onSelect;
    this.#onLeave = onLeave;
  }

  /** Let the next render create all rows again. */
  rerender() {
    this.#rendered = "";
  }

  /**
   * Render rooms and counts, if they have changed; the focused button keeps the focus by its position.
   * @param {import("../state/chat_session.js").ChatSession} session
   */
  render({ rooms, current }) {
    const summary = rooms.map((room) => [room.displayName, room.readTracker.unreadCount, room.readTracker.mentionCount, mutedRooms.has(room.name)]);
    const state = JSON.stringify([summary, rooms.findIndex((room) => room === current)]);
    if (state === this.#rendered && rooms === this.#rooms) return;
    this.#rendered = state;
    this.#rooms = rooms;
    const focusedIndex = [...this.#list.querySelectorAll("button")].findIndex((button) => button === document.activeElement);
    const renderRows = (isDirect) => rooms.filter(({ access }) => access.isDirect === isDirect).map((room) => this.#renderRoom(room, room === current));
    this.#roomRows.replaceChildren(...renderRows(false));
    this.#directRoomRows.replaceChildren(...renderRows(true));
    this.#directRooms.hidden = !this.#directRoomRows.hasChildNodes();
    if (focusedIndex >= 0) this.#list.querySelectorAll("button")[focusedIndex]?.focus();
    const otherRooms = rooms.filter((room) => room !== current && isHighlighted(room));
    const hasMention = otherRooms.some(({ readTracker }) => readTracker.mentionCount);
    const unreadCount = otherRooms.reduce((sum, { readTracker }) => sum + readTracker.unreadCount, 0);
    this.#badge.hidden = !unreadCount;
    this.#badge.classList.toggle("mention", hasMention);
    setText(this.#badge, formatCount(unreadCount));
  }

  #renderRoom(room, isCurrent) {
    const { unreadCount, mentionCount } = room.readTracker;
    const isRoomMuted = mutedRooms.has(room.name);
    const openButton = createButton("room-open", createElement("bdi", "name", room.displayName), () => this.#onSelect(room));
    if (unreadCount) {
      const badge = createElement("span", mentionCount ? "badge mention" : isRoomMuted ? "badge muted" : "badge", `${mentionCount ? "@" : ""}${formatCount(unreadCount)}`);
      badge.setAttribute("aria-hidden", "true");
      openButton.append(" ", badge, createElement("span", "visually-hidden", `, ${strings.unreadCount(unreadCount, mentionCount)}`));
    }
    if (isRoomMuted) openButton.append(createElement("span", "visually-hidden", `, ${strings.mutedNote}`));
    if (isCurrent) openButton.setAttribute("aria-current", "true");
    const leaveButton = createIconButton("icon-button room-leave", createIcon("close"), strings.leaveRoom(room.displayName), () => this.#onLeave(room));
    return createElement("li", isHighlighted(room) ? "unread" : "", openButton, leaveButton);
  }
}

/** Return whether a room has mentions, or unread messages and is not muted. */
function isHighlighted(room) {
  return Boolean(room.readTracker.mentionCount || (room.readTracker.unreadCount && !mutedRooms.has(room.name)));
}

function formatCount(count) {
  return count > MAX_SHOWN_COUNT ? `${MAX_SHOWN_COUNT}+` : String(count);
}
