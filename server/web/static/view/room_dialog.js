/**
 * Dialog to join or switch rooms, by a name or a link. Open rooms are listed first, then rooms of the account, rooms of the
 * server and a new room.
 */

import { strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { ROOM_LIST_PAGE } from "../state/limits.js";
import { canonicalName } from "../state/names.js";
import { closeOnDismiss } from "./confirm_dialog.js";
import { closestElement, createElement, requireElement, selectOption } from "./dom.js";
import { resolveRoom } from "./room_links.js";

const MAX_OPTIONS = 50;
const ROOM_SEARCH_DELAY = 250; // ms

/** Searchable list of rooms. */
export class RoomDialog {
  #dialog = requireElement("room-dialog", HTMLDialogElement);
  #field = requireElement("room-dialog-input", HTMLInputElement);
  #list = requireElement("room-dialog-list");
  #onSelect;
  #openRooms = [];
  #ownRooms = [];
  #serverRooms = [];
  #options = [];
  #activeIndex = 0;
  /** @type {import("../state/chat_session.js").ChatSession | null} */
  #session = null;
  #hasAllRooms = true; // filtering needs no further requests
  #timer = 0;

  /** @param {(name: string, invite: string) => void} onSelect `invite` is empty except for an invite link. */
  constructor(onSelect) {
    this.#onSelect = onSelect;
    closeOnDismiss(this.#dialog);
    this.#field.addEventListener("input", () => {
      this.#render();
      clearTimeout(this.#timer);
      if (this.#hasAllRooms) return;
      this.#timer = setTimeout(() => this.#fetchRooms(), ROOM_SEARCH_DELAY);
    });
    this.#field.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step || event.isComposing) return;
      event.preventDefault();
      this.#setActive(this.#activeIndex + step);
    });
    requireElement("room-dialog-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#options.length) this.#select(this.#options[this.#activeIndex].name);
    });
    this.#list.addEventListener("click", ({ target }) => {
      const name = closestElement(target, "li[data-name]")?.dataset.name;
      if (name !== undefined) this.#select(name);
    });
  }

  /**
   * Show the dialog with the open rooms, and load all other rooms; errors of the requests are ignored.
   * @param {import("../state/chat_session.js").ChatSession} session
   * @param {string} [filter] Initial text of the input.
   * @returns {Promise<void>} Resolves after the requests.
   */
  async open(session, filter = "") {
    this.#openRooms = session.rooms.filter((room) => room !== session.current).map(({ name, displayName, memberCount }) => ({ name, title: displayName, members: memberCount }));
    this.#ownRooms = session.closedRooms;
    this.#serverRooms = [];
    this.#field.value = filter;
    this.#render();
    this.#dialog.showModal();
    this.#field.focus();
    this.#session = session;
    this.#hasAllRooms = true;
    await Promise.all([this.#fetchOwnRooms(session), this.#fetchRooms()]);
  }

  /** Close the dialog without a selection. */
  close() {
    this.#dialog.close();
  }

  /** @param {import("../state/chat_session.js").ChatSession} session */
  async #fetchOwnRooms(session) {
    await session.ownRooms.refresh();
    this.#ownRooms = session.closedRooms;
    if (this.#dialog.open && this.#ownRooms.length) this.#render();
  }

  /** Load the rooms of the server for the typed query; errors are ignored. */
  async #fetchRooms() {
    const session = this.#session;
    if (!session) return;
    const query = this.#typed.room;
    try {
      const rooms = await session.listRooms(query);
      if (query !== this.#typed.room && this.#serverRooms.length) return; // superseded by a newer request
      this.#serverRooms = rooms.filter(({ name }) => !session.current?.matchesName(name));
      if (!query) this.#hasAllRooms = rooms.length < ROOM_LIST_PAGE;
      if (this.#dialog.open) this.#render();
    } catch (error) {
      requireRequestError(error); // a room name can still be typed
    }
  }

  /** Room, invite code and server of the typed text. */
  get #typed() {
    return resolveRoom(this.#field.value.trim());
  }

  /** Close the dialog and pass the room to `onSelect`, with the typed invite code of this room. */
  #select(name) {
    const { room, invite } = this.#typed;
    this.#dialog.close();
    this.#onSelect(name, name === room ? invite : "");
  }

  /** List the rooms that match the query, with the best match active, and a new room for an unknown name. */
  #render() {
    const { room: query, otherHost } = this.#typed;
    if (otherHost) return this.#renderOptions([], { emptyText: strings.otherServer(otherHost) });
    const roomsByName = new Map(this.#openRooms.map((room) => [canonicalName(room.name), { ...room, isOpen: true }]));
    for (const room of this.#ownRooms) roomsByName.set(canonicalName(room.name), { ...room, isOpen: false });
    for (const room of this.#serverRooms) {
      const key = canonicalName(room.name);
      roomsByName.set(key, { isOpen: false, ...roomsByName.get(key), ...room });
    }
    const matches = [...roomsByName.values()].filter(({ name, title = name }) => canonicalName(title).includes(canonicalName(query)));
    const startsWithQuery = ({ name, title = name }) => canonicalName(title).startsWith(canonicalName(query));
    matches.sort((first, second) => Number(second.isOpen) - Number(first.isOpen) || Number(startsWithQuery(second)) - Number(startsWithQuery(first)));
    const options = matches.slice(0, MAX_OPTIONS);
    if (query && !roomsByName.has(canonicalName(query))) options.push({ name: query, isNew: true });
    const isExact = ({ name, title = name }) => [name, title].some((text) => canonicalName(text) === canonicalName(query));
    const existing = options.findIndex((option) => isExact(option) && !option.isNew);
    const prefix = options.findIndex((option) => option.isOpen && startsWithQuery(option));
    const active = [existing, prefix, options.findIndex(isExact)].find((index) => index >= 0);
    return this.#renderOptions(options, { active, emptyText: strings.noMatchingRooms });
  }

  #renderOptions(options, { active = 0, emptyText }) {
    this.#options = options;
    this.#list.replaceChildren(...(options.length ? options.map(renderRoomOption) : [renderEmptyOption(emptyText)]));
    this.#setActive(active);
  }

  #setActive(index) {
    const elements = [...this.#list.querySelectorAll("[data-name]")];
    this.#activeIndex = Math.max(0, Math.min(index, elements.length - 1));
    selectOption(this.#field, elements, this.#activeIndex);
    elements[this.#activeIndex]?.scrollIntoView({ block: "nearest" });
  }
}

function renderRoomOption({ name, title = name, members, unread, mentions, topic, isNew }, index) {
  const option = createElement("li", "option");
  const note = unread ? strings.unreadCount(unread, mentions) : members === undefined ? strings.ownRoom : strings.memberCount(members);
  if (isNew) option.append(strings.joinRoom(name));
  else option.append(createElement("bdi", "name", title), createElement("span", "note", note));
  if (topic) option.append(createElement("span", "topic", topic));
  option.id = `room-option-${index}`;
  option.dataset.name = name;
  option.setAttribute("role", "option");
  return option;
}

function renderEmptyOption(text) {
  const row = createElement("li", "empty", text);
  row.setAttribute("role", "option");
  row.setAttribute("aria-disabled", "true");
  return row;
}
