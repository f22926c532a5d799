/**
 * Completion of nicknames after `@` in the composer.
 *
 * - A list is open while the text after the last `@` is the start of a nickname.
 * - Tab inserts the selected nickname or the first one. Arrow keys select, Enter inserts a selected nickname, and Escape
 *   closes the list. Without a selection, Enter still sends the message.
 * - Unlisted members are loaded after a pause in typing.
 */

import { strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { NICKNAME_GRAPHEMES } from "../state/limits.js";
import { isJoined } from "../state/mentions.js";
import { canonicalName } from "../state/names.js";
import { closestElement, createAvatar, createElement, createNickname, requireElement, selectOption, setText } from "./dom.js";

const MAX_OPTIONS = 8;
const LOAD_LIMIT = 200; // members with the typed text anywhere in their nickname
const DEBOUNCE = 300; // ms
const MENTION = new RegExp(`@([^@\\n]{1,${NICKNAME_GRAPHEMES}})$`, "u");

/** @typedef {import("../state/room.js").Room} Room */

export class NickCompletion {
  #field = requireElement("composer-input", HTMLTextAreaElement);
  #list = requireElement("nick-completion");
  #status = requireElement("nick-completion-status");
  #getRoom;
  #timer = 0;
  #isLoading = false;
  /** @type {string[]} */
  #nicks = [];
  #selectedIndex = -1;

  /** @param {() => Room | null | undefined} getRoom Returns the visible room. */
  constructor(getRoom) {
    this.#getRoom = getRoom;
    this.#field.addEventListener("input", () => {
      this.#update();
      clearTimeout(this.#timer);
      if (this.#query) this.#timer = setTimeout(() => this.#load(), DEBOUNCE);
    });
    // Capture: before the composer sends at Enter.
    this.#field.addEventListener("keydown", (event) => this.#onKeyDown(event), { capture: true });
    this.#field.addEventListener("blur", () => this.close());
    this.#field.form?.addEventListener("submit", () => this.close());
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus in the composer
    this.#list.addEventListener("click", ({ target }) => {
      const index = closestElement(target, "[role=option]")?.dataset.index;
      if (index !== undefined) this.#insert(this.#nicks[Number(index)]);
    });
  }

  close() {
    clearTimeout(this.#timer);
    this.#show([]);
  }

  /** Text between the last `@` and the cursor; empty if the cursor is not in a mention. */
  get #query() {
    const { value, selectionStart, selectionEnd } = this.#field;
    const mention = selectionStart === selectionEnd ? value.slice(0, selectionStart).match(MENTION) : null;
    return mention && mention[1].trim() && !isJoined(value.slice(0, mention.index)) ? mention[1] : "";
  }

  #onKeyDown(event) {
    if (!this.#nicks.length || event.isComposing || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isInsertion = event.key === "Tab" || (event.key === "Enter" && this.#selectedIndex >= 0);
    if (!step && !isInsertion && event.key !== "Escape") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (step) this.#select(this.#selectedIndex + step);
    else if (isInsertion) this.#insert(this.#nicks[Math.max(0, this.#selectedIndex)]);
    else this.close();
  }

  #insert(nick) {
    const end = this.#field.selectionStart;
    this.#field.setRangeText(`${nick} `, end - this.#query.length, end, "end");
    this.close();
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  async #load() {
    const room = this.#getRoom();
    if (!room || this.#isLoading) return;
    this.#isLoading = true;
    let query;
    try {
      do {
        query = this.#query;
        if (query) await room.roster.load(query, LOAD_LIMIT);
      } while (query !== this.#query && room === this.#getRoom());
      if (query && document.activeElement === this.#field) this.#update();
    } catch (error) {
      requireRequestError(error); // stored nicknames are still completed
    } finally {
      this.#isLoading = false;
    }
  }

  #update() {
    const room = this.#getRoom();
    this.#show(room && this.#query ? matchingNicks(room, this.#query) : []);
  }

  #show(nicks) {
    if (nicks.join("\n") === this.#nicks.join("\n")) return; // keeps the selection
    this.#nicks = nicks;
    this.#list.replaceChildren(...nicks.map(renderOption));
    this.#list.hidden = !nicks.length;
    setText(this.#status, nicks.length ? strings.completionHint(nicks[0], nicks.length) : "");
    this.#select(-1);
  }

  /** Select an option; -1 for none. */
  #select(index) {
    this.#selectedIndex = Math.max(-1, Math.min(index, this.#nicks.length - 1));
    selectOption(this.#field, [...this.#list.children], this.#selectedIndex);
  }
}

/**
 * Return the nicknames of other members that start with a text, latest speakers first.
 * @param {Room} room
 * @param {string} query
 */
function matchingNicks({ members, ownMemberIds, log }, query) {
  const key = canonicalName(query) + (query.endsWith(" ") ? " " : "");
  const lastSeqs = new Map(log.items.map(({ memberId, seq }) => [memberId, seq]));
  return [...members.values()]
    .filter(({ memberId, nickName }) => !ownMemberIds.has(memberId) && canonicalName(nickName).startsWith(key))
    .sort((first, second) => (lastSeqs.get(second.memberId) ?? 0) - (lastSeqs.get(first.memberId) ?? 0) || first.nickName.localeCompare(second.nickName, strings.lang))
    .slice(0, MAX_OPTIONS)
    .map(({ nickName }) => nickName);
}

/**
 * @param {string} nick
 * @param {number} index
 */
function renderOption(nick, index) {
  const option = createElement("li", "option", createAvatar(nick), createNickname(nick));
  option.id = `nick-option-${index}`;
  option.dataset.index = String(index);
  option.setAttribute("role", "option");
  return option;
}
