/** Message search in the visible room or in all rooms. */

import { errorText, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { isBlank } from "../state/sanitize.js";
import { findTerms } from "../state/search_terms.js";
import { createButton, createElement, createNickname, markInvalid, requireElement, setText } from "./dom.js";
import { formatShortDate } from "./format_time.js";
import { excerpt } from "./render_line.js";

const RESULT_PAGE = 30;
const SEARCH_DELAY = 300; // ms

/** @typedef {{query: string, room?: string, cursor?: string}} PageRequest */

const UNSUPPORTED_REASONS = new Set(["request_unknown", "request_unsupported"]);

/** Search field with the results of the latest search. */
export class SearchPanel {
  #form = requireElement("search-form", HTMLFormElement);
  #field = requireElement("search-input", HTMLInputElement);
  #allRooms = requireElement("search-all-rooms", HTMLInputElement);
  #status = requireElement("search-status");
  #list = requireElement("search-results");
  #more = requireElement("search-more", HTMLButtonElement);
  #getSession;
  #onOpenResult;
  #generation = 0; // responses of older requests are ignored
  #timer = 0;
  /** @type {{message: any, query: string, isInAllRooms: boolean}[]} */
  #results = [];
  /** Returns the text of the status in the current language. */
  #describeStatus = () => "";
  /** @type {PageRequest} Request for the next page. */
  #nextPage = { query: "" };

  /**
   * @param {object} options
   * @param {() => import("../state/chat_session.js").ChatSession} options.getSession
   * @param {(room: string, seq: number) => void} options.onOpenResult
   */
  constructor({ getSession, onOpenResult }) {
    this.#getSession = getSession;
    this.#onOpenResult = onOpenResult;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#runSearch();
    });
    this.#field.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#runSearch(), SEARCH_DELAY);
    });
    this.#allRooms.addEventListener("change", () => this.#runSearch());
    this.#more.addEventListener("click", () => {
      const request = this.#nextPage;
      if (!request.cursor) this.clear(); // the search starts again
      this.#loadPage(request);
    });
  }

  /**
   * Focus the search field, and start a search for a query.
   * @param {string} [query] Empty to keep the query and its results.
   */
  open(query = "") {
    if (query) {
      this.#field.value = query;
      this.#runSearch();
    }
    this.#field.focus();
    this.#field.select();
  }

  /** Render results and status in the current language. */
  rerender() {
    this.#list.replaceChildren(...this.#results.map((result) => this.#renderResult(result)));
    setText(this.#status, this.#describeStatus());
  }

  /** Clear the results of a search in the previous room. */
  onRoomChange() {
    if (!this.#allRooms.checked) this.clear();
  }

  /** Remove the results, and ignore the response of a running search; the query stays in the field. */
  clear() {
    this.#generation += 1;
    this.#results = [];
    this.#list.replaceChildren();
    this.#more.hidden = true;
    this.#showStatus(() => "");
    markInvalid(this.#field, false);
  }

  /** @param {() => string} describe Returns the text in the current language. */
  #showStatus(describe) {
    this.#describeStatus = describe;
    setText(this.#status, describe());
  }

  /** Start a search for the typed query in place of the previous one; a blank query only clears the results. */
  #runSearch() {
    clearTimeout(this.#timer);
    this.clear();
    const query = this.#field.value.trim();
    const room = this.#allRooms.checked ? undefined : this.#getSession()?.current?.name;
    if (!isBlank(query)) this.#loadPage({ query, room });
  }

  /**
   * Request a page and append its results, or show the error. No effect without a session.
   * @param {PageRequest} request
   */
  async #loadPage({ query, room, cursor }) {
    const session = this.#getSession();
    if (!session) return;
    this.#generation += 1;
    const generation = this.#generation;
    this.#showStatus(() => strings.searching);
    try {
      const { messages, next, incomplete } = await session.search(query, { room, cursor, limit: RESULT_PAGE });
      if (generation !== this.#generation) return;
      this.#nextPage = { query, room, cursor: next };
      const results = messages.map((message) => ({ message, query, isInAllRooms: !room }));
      this.#results.push(...results);
      this.#list.append(...results.map((result) => this.#renderResult(result)));
      this.#more.hidden = !next;
      const count = this.#results.length;
      this.#showStatus(() => {
        const summary = count || next ? strings.searchCount(count, Boolean(next)) : strings.searchEmpty;
        return incomplete ? `${summary} ${strings.searchIncomplete}` : summary;
      });
    } catch (error) {
      const failure = requireRequestError(error);
      if (generation !== this.#generation) return;
      if (failure.reason === "cursor_invalid") this.#nextPage = { query, room }; // a repeat would contain the same cursor
      markInvalid(this.#field, failure.reason.startsWith("query_"));
      this.#showStatus(() => (UNSUPPORTED_REASONS.has(failure.reason) ? strings.searchUnsupported : errorText(failure)));
    }
  }

  /** Return the row of a result, which names its room after a search in all rooms. */
  #renderResult({ message, query, isInAllRooms }) {
    const { room, seq, nickName, ts } = message;
    const text = createElement("span", "message-text", ...highlightTerms(excerpt(message), query));
    text.dir = "auto";
    const header = createElement("span", "message-header", createNickname(nickName), " ", createElement("time", "", formatShortDate(ts)));
    if (isInAllRooms) header.append(" ", createElement("bdi", "room", this.#getSession().titleOf(room)));
    const button = createButton("search-result", header, () => this.#onOpenResult(room, seq));
    button.append(text);
    return createElement("li", "", button);
  }
}

/** Return the parts of a text, with `<mark>` elements around the terms of a query. */
function highlightTerms(text, query) {
  const nodes = [];
  let position = 0;
  for (const { start, end } of findTerms(query, text)) {
    nodes.push(text.slice(position, start), createElement("mark", "", text.slice(start, end)));
    position = end;
  }
  return [...nodes, text.slice(position)];
}
