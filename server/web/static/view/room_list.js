/**
 * Room list with unread badges; direct rooms have a list of their own.
 *
 * - Rows: updates change the row of a room in place, because the removal of a pressed button would cancel the click.
 */

import { strings } from "../i18n/strings.js";
import { mutedRooms } from "../state/storage.js";
import { createButton, createElement, createIcon, createIconButton, placeRows, requireElement, setButtonLabel, setText } from "./dom.js";

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
  #rooms = []; // rooms at the previous render
  /** @type {WeakMap<import("../state/room.js").Room, HTMLLIElement>} */
  #rows = new WeakMap();

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
    this.#rows = new WeakMap();
  }

  /**
   * Render rooms and counts, if they have changed; after the removal of the focused button, the one at its position has
   * the focus.
   * @param {import("../state/chat_session.js").ChatSession} session
   */
  render({ rooms, current }) {
    const summary = rooms.map((room) => [room.displayName, room.readTracker.unreadCount, room.readTracker.mentionCount, mutedRooms.has(room.name)]);
    const state = JSON.stringify([summary, rooms.findIndex((room) => room === current)]);
    if (state === this.#rendered && rooms === this.#rooms) return;
    this.#rendered = state;
    this.#rooms = rooms;
    const focused = document.activeElement;
    const focusedIndex = [...this.#list.querySelectorAll("button")].findIndex((button) => button === focused);
    const renderRows = (isDirect) => rooms.filter(({ access }) => access.isDirect === isDirect).map((room) => this.#renderRow(room, room === current));
    placeRows(this.#roomRows, renderRows(false));
    placeRows(this.#directRoomRows, renderRows(true));
    this.#directRooms.hidden = !this.#directRoomRows.hasChildNodes();
    if (focusedIndex >= 0 && !focused?.isConnected) this.#list.querySelectorAll("button")[focusedIndex]?.focus();
    const otherRooms = rooms.filter((room) => room !== current && isHighlighted(room));
    const hasMention = otherRooms.some(({ readTracker }) => readTracker.mentionCount);
    const unreadCount = otherRooms.reduce((sum, { readTracker }) => sum + readTracker.unreadCount, 0);
    this.#badge.hidden = !unreadCount;
    this.#badge.classList.toggle("mention", hasMention);
    setText(this.#badge, formatCount(unreadCount));
  }

  /** Return the row of a room in its current state. */
  #renderRow(room, isCurrent) {
    let row = this.#rows.get(room);
    if (!row) {
      const openButton = createButton("room-open", "", () => this.#onSelect(room));
      row = createElement("li", "", openButton, createIconButton("icon-button room-leave", createIcon("close"), "", () => this.#onLeave(room)));
      this.#rows.set(room, row);
    }
    const [openButton, leaveButton] = row.querySelectorAll("button");
    const { unreadCount, mentionCount } = room.readTracker;
    const isRoomMuted = mutedRooms.has(room.name);
    openButton.replaceChildren(createElement("bdi", "name", room.displayName));
    if (unreadCount) {
      const badge = createElement("span", mentionCount ? "badge mention" : isRoomMuted ? "badge muted" : "badge", `${mentionCount ? "@" : ""}${formatCount(unreadCount)}`);
      badge.setAttribute("aria-hidden", "true");
      openButton.append(" ", badge, createElement("span", "visually-hidden", `, ${strings.unreadCount(unreadCount, mentionCount)}`));
    }
    if (isRoomMuted) openButton.append(createElement("span", "visually-hidden", `, ${strings.mutedNote}`));
    if (isCurrent) openButton.setAttribute("aria-current", "true");
    else openButton.removeAttribute("aria-current");
    setButtonLabel(leaveButton, strings.leaveRoom(room.displayName));
    row.className = isHighlighted(room) ? "unread" : "";
    return row;
  }
}

/** Return whether a room has mentions, or unread messages and is not muted. */
function isHighlighted(room) {
  return Boolean(room.readTracker.mentionCount || (room.readTracker.unreadCount && !mutedRooms.has(room.name)));
}

function formatCount(count) {
  return count > MAX_SHOWN_COUNT ? `${MAX_SHOWN_COUNT}+` : String(count);
}
