/**
 * The dialog that joins a room or switches to one: what you are in, then the
 * server's rooms, then a new one of that name.
 */

import { words } from "../i18n/strings.js";
import { passOver } from "../net/socket.js";
import { fold } from "../state/canonical_name.js";
import { closable } from "./confirm_dialog.js";
import { element } from "./dom.js";

const SHOWN_AT_MOST = 50;
const TOLD_AT_MOST = 200; // rooms in one answer of the server
const PAUSE = 250; // ms after a key, before the server is asked

export class Join {
  #dialog = document.getElementById("join");
  #field = document.getElementById("join-field");
  #list = document.getElementById("join-list");
  #onChoose;
  #mine = [];
  #served = [];
  #choices = [];
  #active = 0;
  #chat = null;
  #whole = true; // the server told all the rooms it has
  #timer = 0;

  /** @param {(name: string) => void} onChoose */
  constructor(onChoose) {
    this.#onChoose = onChoose;
    closable(this.#dialog);
    this.#field.addEventListener("input", () => {
      this.#draw();
      clearTimeout(this.#timer);
      if (this.#whole) return;
      this.#timer = setTimeout(() => this.#look(), PAUSE);
    });
    this.#field.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step || event.isComposing) return;
      event.preventDefault();
      this.#mark(this.#active + step);
    });
    document.getElementById("join-form").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.#choices.length) this.#choose(this.#choices[this.#active].name);
    });
    this.#list.addEventListener("click", ({ target }) => {
      const option = target.closest("li[data-name]");
      if (option) this.#choose(option.dataset.name);
    });
  }

  /** @param {import("../state/chat_session.js").Chat} chat */
  async open(chat) {
    this.#mine = chat.rooms.filter((room) => room !== chat.current).map(({ name, members }) => ({ name, members: members.size }));
    this.#served = [];
    this.#field.value = "";
    this.#draw();
    this.#dialog.showModal();
    this.#field.focus();
    this.#chat = chat;
    this.#whole = true;
    await this.#look();
  }

  async #look() {
    const query = this.#field.value.trim();
    try {
      const rooms = await this.#chat.listRooms(query);
      if (query !== this.#field.value.trim() && this.#served.length) return; // another search is under way
      this.#served = rooms.filter(({ name }) => !this.#chat.current?.is(name));
      if (!query) this.#whole = rooms.length < TOLD_AT_MOST;
      if (this.#dialog.open) this.#draw();
    } catch (refusal) {
      passOver(refusal); // a name can be typed all the same
    }
  }

  #choose(name) {
    this.#dialog.close();
    this.#onChoose(name);
  }

  #draw() {
    const typed = this.#field.value.trim();
    const known = new Map(this.#mine.map((room) => [fold(room.name), { ...room, mine: true }]));
    for (const room of this.#served) known.set(fold(room.name), { ...room, mine: known.has(fold(room.name)) });
    const match = [...known.values()].filter(({ name }) => fold(name).includes(fold(typed)));
    const begins = ({ name }) => fold(name).startsWith(fold(typed));
    match.sort((one, other) => other.mine - one.mine || begins(other) - begins(one));
    this.#choices = match.slice(0, SHOWN_AT_MOST);
    if (typed && !known.has(fold(typed))) this.#choices.push({ name: typed, fresh: true });
    const rows = this.#choices.map((choice, index) => optionOf(choice, index));
    if (!rows.length) rows.push(emptyRow());
    this.#list.replaceChildren(...rows);
    const exact = this.#choices.findIndex(({ name }) => fold(name) === fold(typed));
    const open = this.#choices.findIndex((choice) => choice.mine && begins(choice));
    this.#mark(open >= 0 ? open : exact);
  }

  #mark(index) {
    const options = this.#list.querySelectorAll("[data-name]");
    this.#active = Math.max(0, Math.min(index, options.length - 1));
    for (const [at, option] of options.entries()) option.setAttribute("aria-selected", String(at === this.#active));
    const active = options[this.#active];
    if (active) this.#field.setAttribute("aria-activedescendant", active.id);
    else this.#field.removeAttribute("aria-activedescendant");
    active?.scrollIntoView({ block: "nearest" });
  }
}

function optionOf({ name, members, topic, fresh }, index) {
  const option = element("li", "option");
  if (fresh) option.append(words.joinNamed(name));
  else option.append(element("bdi", "name", name), element("span", "note", words.here(members)));
  if (topic) option.append(element("span", "topic", topic));
  option.id = `join-option-${index}`;
  option.dataset.name = name;
  option.setAttribute("role", "option");
  return option;
}

function emptyRow() {
  const row = element("li", "empty", words.noRooms);
  row.setAttribute("role", "option");
  row.setAttribute("aria-disabled", "true");
  return row;
}
