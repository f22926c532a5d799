/**
 * Room list with unread badges; direct rooms, and the durable rooms that are not open, have lists of their own.
 *
 * Updates change the row of a room in place, because the removal of a pressed button would cancel the click.
 */

import { strings } from "../i18n/strings.js";
import { mutedRooms } from "../state/storage.js";
import { createButton, createElement, createIcon, createIconButton, placeRows, requireElement, setButtonLabel, setText } from "./dom.js";

const MAX_SHOWN_COUNT = 99;

/**
 * @typedef {import("../state/room.js").Room} Room
 * @typedef {{title: string, unread: number, mentions: number, isMuted: boolean}} RowState
 */

/** List of the rooms of the session, with the badge of its toggle button. */
export class RoomList {
  #list = requireElement("room-list");
  #roomRows = requireElement("room-rows");
  #directRooms = requireElement("direct-rooms");
  #directRoomRows = requireElement("direct-room-rows");
  #closedRooms = requireElement("closed-rooms");
  #closedRoomRows = requireElement("closed-room-rows");
  #badge = requireElement("rooms-badge");
  #onSelect;
  #onOpen;
  #onLeave;
  #rendered = "";
  /** @type {Room[]} */
  #rooms = []; // rooms at the previous render
  /** @type {WeakMap<Room, HTMLLIElement>} */
  #rows = new WeakMap();
  /** @type {Map<string, HTMLLIElement>} */
  #closedRows = new Map(); // by name

  /**
   * @param {object} options
   * @param {(room: Room) => void} options.onSelect
   * @param {(name: string) => void} options.onOpen Called with the name or address of a room that is not open.
   * @param {(room: Room) => void} options.onLeave
   */
  constructor({ onSelect, onOpen, onLeave }) {
    this.#onSelect = onSelect;
    this.#onOpen = onOpen;
    this.#onLeave = onLeave;
  }

  /** Discard all rows, so that the next render creates them again. */
  rerender() {
    this.#rendered = "";
    this.#rows = new WeakMap();
    this.#closedRows.clear();
  }

  /**
   * Render rooms and counts, if they have changed. The focus of a removed button moves to the button at its position.
   * @param {import("../state/chat_session.js").ChatSession} session
   */
  render({ rooms, closedRooms, current }) {
    const openStates = rooms.map(describeOpenRoom);
    const closedStates = closedRooms.map(describeClosedRoom);
    const state = JSON.stringify([openStates, closedStates, rooms.findIndex((room) => room === current)]);
    if (state === this.#rendered && rooms === this.#rooms) return;
    this.#rendered = state;
    this.#rooms = rooms;
    const focused = document.activeElement;
    const focusedIndex = [...this.#list.querySelectorAll("button")].findIndex((button) => button === focused);
    const rows = rooms.map((room, index) => this.#renderOpenRoom(room, openStates[index], room === current));
    placeRows(this.#roomRows, rows.filter((_, index) => !rooms[index].access.isDirect));
    placeRows(this.#directRoomRows, rows.filter((_, index) => rooms[index].access.isDirect));
    placeRows(this.#closedRoomRows, closedRooms.map(({ name }, index) => this.#renderClosedRoom(name, closedStates[index])));
    this.#directRooms.hidden = !this.#directRoomRows.hasChildNodes();
    this.#closedRooms.hidden = !closedRooms.length;
    if (focusedIndex >= 0 && !focused?.isConnected) this.#list.querySelectorAll("button")[focusedIndex]?.focus();
    this.#renderBadge([...openStates.filter((_, index) => rooms[index] !== current), ...closedStates]);
  }

  /** Show the sum of the unread messages of the highlighted rooms among `states`; hide the badge if it is 0. */
  #renderBadge(states) {
    const highlighted = states.filter(isHighlighted);
    const unreadCount = highlighted.reduce((sum, { unread }) => sum + unread, 0);
    this.#badge.hidden = !unreadCount;
    this.#badge.classList.toggle("mention", highlighted.some(({ mentions }) => mentions));
    setText(this.#badge, formatCount(unreadCount));
  }

  #renderOpenRoom(room, state, isCurrent) {
    let row = this.#rows.get(room);
    if (!row) {
      const openButton = createButton("room-open", "", () => this.#onSelect(room));
      row = createElement("li", "", openButton, createIconButton("icon-button room-leave", createIcon("close"), "", () => this.#onLeave(room)));
      this.#rows.set(room, row);
    }
    const [openButton, leaveButton] = row.querySelectorAll("button");
    if (isCurrent) openButton.setAttribute("aria-current", "true");
    else openButton.removeAttribute("aria-current");
    setButtonLabel(leaveButton, strings.leaveRoom(state.title));
    return renderState(row, state);
  }

  #renderClosedRoom(name, state) {
    let row = this.#closedRows.get(name);
    if (!row) {
      row = createElement("li", "", createButton("room-open", "", () => this.#onOpen(name)));
      this.#closedRows.set(name, row);
    }
    return renderState(row, state);
  }
}

/** @returns {RowState} */
function describeOpenRoom({ displayName, name, readTracker }) {
  return { title: displayName, unread: readTracker.unreadCount, mentions: readTracker.mentionCount, isMuted: mutedRooms.has(name) };
}

/**
 * Return the state of a room that is not open; `@` precedes the members of a direct room.
 * @returns {RowState}
 */
function describeClosedRoom({ name, title, isDirect, unread, mentions }) {
  return { title: isDirect ? `@${title}` : title, unread, mentions, isMuted: mutedRooms.has(name) };
}

/**
 * Show title and counts in the first button of a row, and return the row.
 * @param {HTMLLIElement} row
 * @param {RowState} state
 */
function renderState(row, state) {
  const { title, unread, mentions, isMuted } = state;
  const [button] = row.querySelectorAll("button");
  button.replaceChildren(createElement("bdi", "name", title));
  if (unread) {
    const badge = createElement("span", mentions ? "badge mention" : isMuted ? "badge muted" : "badge", `${mentions ? "@" : ""}${formatCount(unread)}`);
    badge.setAttribute("aria-hidden", "true");
    button.append(" ", badge, createElement("span", "visually-hidden", `, ${strings.unreadCount(unread, mentions)}`));
  }
  if (isMuted) button.append(createElement("span", "visually-hidden", `, ${strings.mutedNote}`));
  row.className = isHighlighted(state) ? "unread" : "";
  return row;
}

/**
 * Return whether a room has mentions, or unread messages and is not muted.
 * @param {RowState} state
 */
function isHighlighted({ unread, mentions, isMuted }) {
  return Boolean(mentions || (unread && !isMuted));
}

function formatCount(count) {
  return count > MAX_SHOWN_COUNT ? `${MAX_SHOWN_COUNT}+` : String(count);
}
