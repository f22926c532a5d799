/**
 * Member panel: the members of the visible room, with a search by nickname.
 *
 * - A search filters the stored members at once, and loads unlisted members after a pause in typing.
 * - One load runs at a time. If query or room change during a load, the result is dropped, and the current query is loaded
 *   next.
 * - Rows of unchanged members are reused, so a presence change in a large room renders few rows.
 */

import { errorText, strings } from "../i18n/strings.js";
import { requireRequestError } from "../net/request_error.js";
import { MEMBER_PAGE } from "../state/limits.js";
import { isBlank, stripSpace } from "../state/sanitize.js";
import { closestElement, createAccountSign, createAvatar, createBotBadge, createConfusableSign, createElement, createNickname, placeRows, requireElement, setText } from "./dom.js";
import { roleNote, sortMembers } from "./member_details.js";

const MEMBER_SEARCH_DELAY = 300; // ms

/**
 * @typedef {import("../state/room.js").Member} Member
 * @typedef {import("../state/room.js").Room} Room
 */

/** Searchable member list of the visible room. */
export class MemberPanel {
  #form = requireElement("member-search", HTMLFormElement);
  #field = requireElement("member-search-input", HTMLInputElement);
  #clearButton = requireElement("member-search-clear", HTMLButtonElement);
  #status = requireElement("member-search-status");
  #list = requireElement("member-list");
  #unlisted = requireElement("members-unlisted");
  #more = requireElement("members-more", HTMLButtonElement);
  #onChange;
  #timer = 0;
  #isLoading = false;
  #hasMoreMatches = false; // on the server
  #error = "";
  #rowLimit = MEMBER_PAGE;
  /** @type {Room | null} */
  #room = null;
  /** @type {Map<string, Member> | null} Rendered members; null forces a full update. */
  #rendered = null;
  /** @type {ReadonlySet<string>} */
  #blockedIds = new Set();
  /** @type {WeakMap<Member, HTMLElement>} */
  #rows = new WeakMap();

  /**
   * @param {object} options
   * @param {() => void} options.onChange Schedules a call of `render`.
   * @param {(member: Member, room: Room) => void} options.onOpen Called when a member is clicked.
   */
  constructor({ onChange, onOpen }) {
    this.#onChange = onChange;
    this.#list.addEventListener("click", ({ target }) => {
      const memberId = closestElement(target, "button")?.dataset.memberId;
      const member = memberId && this.#room?.members.get(memberId);
      if (member && this.#room) onOpen(member, this.#room);
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#load();
    });
    this.#field.addEventListener("input", () => this.#onInput());
    this.#field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#field.value || event.isComposing) return;
      event.preventDefault(); // otherwise the panel closes
      this.#clear();
    });
    this.#clearButton.addEventListener("click", () => {
      this.#clear();
      this.#field.focus();
    });
    this.#more.addEventListener("click", () => {
      this.#rowLimit += MEMBER_PAGE;
      this.#rendered = null;
      this.#load();
    });
  }

  /** Discard all rows, so that the next render creates them again. */
  rerender() {
    this.#rendered = null;
    this.#rows = new WeakMap();
  }

  /**
   * Render the members of a room, if members, blocks or search have changed; another room clears the search. The user
   * is the first row, and the others are sorted by nickname.
   * @param {Room} room Visible room.
   */
  render(room) {
    if (room !== this.#room) {
      this.#room = room;
      this.#clear();
    }
    if (room.blockedIds !== this.#blockedIds) {
      this.#blockedIds = room.blockedIds;
      this.rerender();
    }
    if (room.members === this.#rendered) return;
    this.#rendered = room.members;
    for (const id of ["members-count", "members-total"]) setText(requireElement(id), room.memberCount.toLocaleString(strings.lang));
    const members = sortMembers(room.roster.find(this.#query), room.ownMemberIds);
    const rows = members.slice(0, this.#rowLimit).map((member) => this.#rowOf(member, room));
    placeRows(this.#list, rows);
    const hiddenCount = (this.#query ? members.length : room.memberCount) - rows.length;
    const hasMore = members.length > rows.length || (this.#query ? this.#hasMoreMatches : room.roster.hasMore);
    this.#unlisted.hidden = hiddenCount <= 0;
    setText(this.#unlisted, strings.moreMembers(hiddenCount));
    if (!hasMore && document.activeElement === this.#more) this.#list.focus();
    this.#more.hidden = !hasMore;
    setText(this.#status, this.#statusText(members.length));
  }

  /** Search text without surrounding spaces; empty without a search. */
  get #query() {
    return isBlank(this.#field.value) ? "" : stripSpace(this.#field.value);
  }

  #statusText(count) {
    if (this.#error) return this.#error;
    if (!this.#query) return "";
    if (count) return strings.membersFoundCount(count, this.#hasMoreMatches);
    return this.#isLoading ? strings.searching : strings.noMatchingMembers;
  }

  /** Return the row of a member, created at the first call for this version of the member. */
  #rowOf(member, room) {
    const row = this.#rows.get(member) ?? renderMember(member, room);
    this.#rows.set(member, row);
    return row;
  }

  #clear() {
    this.#field.value = "";
    this.#onInput();
  }

  #onInput() {
    clearTimeout(this.#timer);
    this.#clearButton.hidden = !this.#field.value;
    this.#rowLimit = MEMBER_PAGE;
    this.#hasMoreMatches = false;
    this.#error = "";
    if (this.#query) this.#timer = setTimeout(() => this.#load(), MEMBER_SEARCH_DELAY);
    this.#requestRender();
  }

  /** Let the next `render` update all rows, and schedule that render. */
  #requestRender() {
    this.#rendered = null;
    this.#onChange();
  }

  /** Load the members of the search, or further members without a search, at most `#rowLimit`. */
  async #load() {
    clearTimeout(this.#timer);
    if (this.#isLoading) return;
    this.#isLoading = true;
    this.#requestRender();
    try {
      let isCurrent;
      do isCurrent = await this.#loadOnce();
      while (!isCurrent && this.#query);
    } finally {
      this.#isLoading = false;
      this.#requestRender();
    }
  }

  /**
   * Load the members of the current query and room.
   * @returns {Promise<boolean>} False if query or room have changed, and the result or error was dropped.
   */
  async #loadOnce() {
    const [room, query] = [this.#room, this.#query];
    let [hasMoreMatches, error] = [false, ""];
    try {
      hasMoreMatches = await this.#loadMembers(room, query);
    } catch (failure) {
      error = errorText(requireRequestError(failure));
    }
    if (room !== this.#room || query !== this.#query) return false;
    this.#error = error;
    if (!error) this.#hasMoreMatches = hasMoreMatches;
    return true;
  }

  /**
   * @param {Room | null} room
   * @param {string} query
   * @returns {Promise<boolean>} True if the server has further matches.
   */
  async #loadMembers(room, query) {
    if (!room) return false;
    if (query) return room.roster.load(query, this.#rowLimit);
    await room.roster.loadMore(this.#rowLimit);
    return false;
  }
}

/**
 * @param {Member} member
 * @param {Room} room
 */
function renderMember(member, room) {
  const { memberId, nickName, via, confusable, account, away, bot } = member;
  const row = createElement("button", "member", createAvatar(nickName), createNickname(nickName));
  row.type = "button";
  row.dataset.memberId = memberId;
  if (account) row.append(createAccountSign(account));
  if (bot) row.append(createBotBadge());
  if (confusable) row.append(createConfusableSign());
  const note = room.ownMemberIds.has(memberId) ? strings.you : roleNote(member);
  if (note) row.append(createElement("span", "note", note));
  if (away !== undefined) row.append(createElement("span", "note", strings.awayNote(away)));
  if (room.isBlocked(memberId)) row.append(createElement("span", "note", strings.blockedNote));
  if (via) {
    const badge = createElement("span", "note", String(via));
    badge.title = strings.clientKind(String(via));
    row.append(badge);
  }
  return createElement("li", "", row);
}
