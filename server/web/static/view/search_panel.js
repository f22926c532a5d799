/**
 * Looking for what was said, in this room or in all.
 */

import { words } from "../i18n/strings.js";
import { passOver } from "../net/socket.js";
import { fold } from "../state/canonical_name.js";
import { element, nickname, say } from "./dom.js";
import { shortDate } from "./format_time.js";
import { inOneLine } from "./render_line.js";

const PAGE = 30;
const PAUSE = 300; // ms after a key, before the server is asked

export class Search {
  #form = document.getElementById("search-form");
  #field = document.getElementById("search-field");
  #everywhere = document.getElementById("search-everywhere");
  #state = document.getElementById("search-state");
  #list = document.getElementById("search-list");
  #more = document.getElementById("search-more");
  #chat;
  #onReach;
  #turn = 0; // what an older search still hears is stale
  #timer = 0;
  #found = 0;
  #next = null; // where the search goes on, as an id of the server

  /**
   * @param {object} to
   * @param {() => import("../state/chat_session.js").Chat} to.chat
   * @param {(room: string, seq: number) => void} to.onReach
   */
  constructor({ chat, onReach }) {
    this.#chat = chat;
    this.#onReach = onReach;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#look();
    });
    this.#field.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#look(), PAUSE);
    });
    this.#everywhere.addEventListener("change", () => this.#look());
    this.#more.addEventListener("click", () => this.#look(this.#next));
  }

  /** Takes the focus, and looks for something, if it is given. */
  open(query) {
    if (query) {
      this.#field.value = query;
      this.#look();
    }
    this.#field.focus();
    this.#field.select();
  }

  /** Another room is shown: what was found is of the one before. */
  roomChanged() {
    if (!this.#everywhere.checked) this.#clear();
  }

  #clear() {
    this.#turn += 1;
    this.#found = 0;
    this.#list.replaceChildren();
    this.#more.hidden = true;
    say(this.#state, "");
  }

  async #look(before) {
    clearTimeout(this.#timer);
    if (!before) this.#clear();
    const turn = this.#turn;
    const query = this.#field.value.trim();
    const chat = this.#chat();
    if (!query || !chat) return;
    const room = this.#everywhere.checked ? undefined : chat.current?.name;
    say(this.#state, words.searching);
    try {
      const { messages, hasMore, next, incomplete } = await chat.search(query, { room, before, limit: PAGE });
      if (turn !== this.#turn) return;
      this.#found += messages.length;
      this.#next = next ?? messages.at(-1)?.id;
      const terms = query.split(/\s+/u);
      this.#list.append(...messages.map((message) => this.#row(message, terms, !room)));
      this.#more.hidden = !hasMore;
      const found = this.#found || hasMore ? words.searchFound(this.#found, hasMore) : words.searchNothing;
      say(this.#state, incomplete ? `${found} ${words.searchIncomplete}` : found);
    } catch (refusal) {
      passOver(refusal);
      if (turn !== this.#turn) return;
      const unserved = refusal.code === "bad_request";
      say(this.#state, unserved ? words.searchUnserved : (words.errors[refusal.code] ?? words.errors.internal));
    }
  }

  #row(message, terms, everywhere) {
    const { room, seq, nickName, ts } = message;
    const said = element("span", "said", ...marked(inOneLine(message), terms));
    said.dir = "auto";
    const head = element("span", "who", nickname(nickName), " ", element("time", "", shortDate(ts)));
    const open = element("button", "hit", head, said);
    if (everywhere) head.append(" ", element("bdi", "in", room));
    open.type = "button";
    open.addEventListener("click", () => this.#onReach(room, seq));
    return element("li", "", open);
  }
}

/** A text with what was looked for marked in it. */
function marked(text, terms) {
  const lower = text.toLowerCase();
  const folded = lower.length === text.length ? lower : text; // else the places would be others
  const places = terms
    .map((term) => fold(term))
    .flatMap((term) => (term ? everyPlace(folded, term) : []))
    .sort((one, other) => one.from - other.from);
  const nodes = [];
  let done = 0;
  for (const { from, to } of places) {
    if (from < done) continue;
    nodes.push(text.slice(done, from), element("mark", "", text.slice(from, to)));
    done = to;
  }
  return [...nodes, text.slice(done)];
}

function everyPlace(text, term) {
  const places = [];
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + term.length)) {
    places.push({ from: at, to: at + term.length });
  }
  return places;
}
